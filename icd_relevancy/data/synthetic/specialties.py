"""The 24 specialties: their share of the notes, their patients, their codes and the shape of their notes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Specialty:
    """One medical specialty of the synthetic hospital.

    Attributes:
        name: As in LOSSES table 3 where the paper names it.
        share: Share of all notes in percent.
        patients: Patient group to weight; the groups are those of `sampling.GROUPS`.
        prefixes: Starts of the codes that the specialty treats.
        head: Its most frequent codes, most frequent first.
        style: Section order, one of `prose.STYLES`.
    """

    name: str
    share: float
    patients: dict[str, float]
    prefixes: tuple[str, ...]
    head: tuple[str, ...]
    style: str


def _specialty(name: str, share: float, patients: str, prefixes: str, head: str, style: str) -> Specialty:
    weights = (item.split(":") for item in patients.split())
    return Specialty(
        name,
        share,
        {group: float(weight) for group, weight in weights},
        tuple(prefixes.split()),
        tuple(head.split()),
        style,
    )


SPECIALTIES = (
    _specialty(
        "Internal Medicine",
        21.71,
        "adult:60 elder:34 woman:6",
        "A0 A4 B34 D5 D6 E0 E1 E5 E7 E8 I1 I2 I5 I8 J0 J1 J2 J4 K2 K5 K7 L03 M10 N1 N3 R",
        "I10 E11.9 E78.5 J06.9 J18.9 N39.0 R10.9 E11.65 K21.9 E55.9 D50.9 R50.9 F41.9 E03.9 N18.30 E11.22 "
        "R53.83 J45.909 K29.70 R07.9 R05.9 M54.50 I25.10 D64.9 E87.6 A09 J20.9 J02.9 R51.9 I50.9 J44.9 "
        "E87.1 N17.9 L03.115 M10.9 J44.1 K59.00 R42 D51.9 J15.9 E11.42 E66.9 I12.9 E78.00 K76.0 B34.9 "
        "G47.00 I48.91 R11.2 E78.2 I11.0 N18.4 N18.9 E86.0 L03.90 R06.02 R60.0 E11.21 E11.69 R73.03 I95.9",
        "soap",
    ),
    _specialty(
        "Obstetrics and Gynaecology",
        12.06,
        "woman:94 adult_woman:6",
        "O N7 N8 N9 C51 C52 C53 C54 C56 D25 D27 E28 Z30 Z31 Z32 Z33 Z34 Z36 Z37 Z39",
        "O80 Z37.0 Z34.93 Z34.83 Z34.91 Z3A.39 Z3A.38 O34.211 O24.410 N76.0 O99.013 N92.0 Z3A.37 Z34.92 "
        "O21.0 O13.3 E28.2 Z3A.12 Z3A.20 Z3A.28 O20.0 D25.9 N94.6 N93.9 O82 O26.893 N83.201 Z30.09 O36.5930 "
        "O42.92 O48.0 N97.9 O23.43 B37.31 N91.2 Z3A.08 Z3A.32 N80.9 O14.93 O24.419 O70.0 O70.1 N95.1 "
        "O03.9 O99.283 O99.213 D25.1 D27.9 N83.202 O47.03 O60.03 N87.9 N72 Z39.2 Z3A.40 Z3A.24 Z01.419",
        "obstetric",
    ),
    _specialty(
        "Pediatrics",
        9.5,
        "child:86 infant:14",
        "A0 A3 A4 B0 B3 B8 D5 E3 E4 H6 J0 J1 J2 J3 J4 K0 K5 L2 N3 P Q R Z00.1",
        "J06.9 J03.90 R50.9 J45.909 A09 H66.90 J02.9 J21.9 L20.9 K59.00 Z00.129 J18.9 R05.9 B34.9 D50.9 "
        "J05.0 R10.9 J45.901 N39.0 E55.9 J30.9 R11.10 B08.4 L22 P59.9 Z00.121 E86.0 J20.9 R62.51 "
        "H66.91 H66.92 H66.93 R56.00 B01.9 J10.1 A08.4 L50.9 J35.3 F90.9 J03.00 Z23 E30.1 K52.9 R21",
        "soap",
    ),
    _specialty(
        "Orthopedics",
        8.2,
        "adult:55 elder:30 child:15",
        "M S4 S5 S6 S7 S8 S9 S3 G56 Z47",
        "M54.50 M17.11 M17.12 M17.0 M25.561 M25.562 M17.9 M25.511 M54.2 M25.512 M54.16 M75.101 M75.102 "
        "S83.511A S83.512A S93.401A S93.402A M77.9 M79.671 G56.01 G56.02 M81.0 S52.501A S52.502A M54.9 "
        "M51.26 S82.891A M65.30 M72.2 M25.551 M25.552 M16.11 M16.12 M75.41 M75.42 M76.60 M19.90 M54.41 "
        "M54.42 M77.11 M77.12 S72.001A S62.309A S42.001A S42.002A M51.369 M20.11 M20.12 M47.816 M25.50",
        "soap",
    ),
    _specialty(
        "Emergency",
        7.6,
        "adult:52 child:24 elder:18 woman:6",
        "S0 S2 S3 S4 S5 S6 S8 S9 T1 T2 T4 T5 T78 R J0 J1 J4 K3 K5 N2 I2 I4",
        "R10.9 R07.9 R50.9 J06.9 S01.81XA S61.419A A09 N20.0 R55 S93.401A R11.2 R51.9 S09.90XA R42 S61.411A "
        "S61.412A N39.0 K35.80 L03.115 J45.901 T78.40XA R10.31 R10.13 R56.9 S06.0X0A I21.4 I48.91 R04.0 "
        "R06.02 S52.501A N23 L50.9 R07.89 R00.2 S00.83XA S60.221A S60.222A J18.9 E86.0 I20.9 I16.0 "
        "S93.402A S91.311A T14.90XA S80.01XA S80.02XA J03.90 E11.649 E11.10 I63.9 S05.01XA S05.02XA R33.9",
        "emergency",
    ),
    _specialty(
        "Dermatology",
        5.8,
        "adult:60 child:22 elder:18",
        "L B07 B35 B36 B37.2 C43 C44 D22 A63 Q82",
        "L70.0 L20.9 L30.9 L40.0 L21.9 B07.9 L50.9 L65.9 L81.1 L80 B35.1 L71.9 L63.9 L82.1 B35.4 L23.9 "
        "L40.9 L57.0 B36.0 B86 L29.9 L91.0 D22.9 L73.2 L64.9 L70.9 L43.9 L72.3 L20.89 L30.1 L24.9 L23.0 "
        "C44.91 B35.3 B35.6 L81.4 L85.3 L60.0 L42 L90.5",
        "brief",
    ),
    _specialty(
        "ENT",
        5.4,
        "adult:60 child:28 elder:12",
        "H6 H7 H8 H9 J0 J3 C32 R04 R13 R49",
        "J30.9 J34.2 J32.9 H66.90 J01.90 H61.23 J35.01 J34.3 H90.3 H81.10 J03.90 H93.13 J35.3 R04.0 H65.93 "
        "H72.91 H60.90 J38.3 H61.21 H61.22 H81.11 H81.12 J31.0 J33.9 H92.01 H92.02 J35.2 H90.5 H69.90 "
        "J37.0 J02.9 H93.11 H93.12 J32.0 H66.91 H66.92 H81.01 H91.90 J30.2 J35.1 R49.0 H60.91 H60.92",
        "brief",
    ),
    _specialty(
        "Ophthalmology",
        4.6,
        "adult:48 elder:40 child:12",
        "H0 H1 H2 H3 H4 H5 E10.3 E11.3 S05",
        "H52.13 H04.123 H25.13 H10.9 H52.4 H25.11 H25.12 H40.1131 H10.13 E11.319 H26.9 H11.001 H11.002 "
        "H52.03 H35.30 H40.9 H00.019 H35.3131 H25.9 E11.3293 H43.811 H43.812 H50.00 H16.001 H01.009 "
        "H18.603 H26.491 H26.492 H33.001 H20.9 H52.203 H53.9 H40.033 H11.30 H10.30 H57.10",
        "brief",
    ),
    _specialty(
        "Dental",
        4.3,
        "adult:66 child:22 elder:12",
        "K0 K1 M26 S02.5",
        "K02.9 K04.7 K05.10 K02.52 K04.01 K02.61 K01.1 K05.6 K08.409 K04.02 K02.62 K03.6 K05.321 K02.53 "
        "K08.89 M26.4 K05.219 K04.1 K08.109 K04.4 K12.0 K05.00 K02.51 K03.81 M26.609 K00.6 M26.9 K05.30 "
        "K11.20 K08.419 K04.5 K13.0",
        "brief",
    ),
    _specialty(
        "Cardiology",
        3.8,
        "adult:45 elder:55",
        "I0 I1 I2 I3 I4 I5 I7 Q2 R00 Z95",
        "I10 I25.10 I48.91 I50.22 I50.9 E78.5 I20.9 R07.9 Z95.5 I48.0 I21.4 R00.2 I34.0 I35.0 I50.32 I25.5 "
        "I11.0 R55 I49.9 I42.0 Z95.1 I47.10 I25.2 I25.119 Z95.0 I48.20 I21.3 I50.23 I20.0 I13.0 I36.1 I44.2 "
        "I26.99 I50.33 I51.9 I71.40 I73.9 I49.3 I27.20 I25.9",
        "consult",
    ),
    _specialty(
        "General Surgery",
        3.0,
        "adult:68 elder:24 child:8",
        "K3 K4 K6 K8 K5 L02 L05 L72 C18 C50 D17 E04 N6 I83 I84",
        "K80.20 K40.90 K35.80 K64.9 L02.91 K60.2 K42.9 L05.91 D17.9 E04.1 K61.0 K80.00 K43.9 K81.0 N63.0 "
        "K64.8 K40.20 K60.30 L72.3 C18.9 C50.911 C50.912 K56.609 I83.90 E66.01 L60.0 D24.1 D24.2 K80.10 "
        "K40.91 K40.30 K35.32 K57.92 K64.1 K64.2 C18.7 K43.2",
        "consult",
    ),
    _specialty(
        "Urology",
        2.6,
        "adult:58 elder:42",
        "N0 N1 N2 N3 N4 N5 C61 C64 C67 R31 R3",
        "N20.0 N40.1 N39.0 N20.1 N23 N52.9 N40.0 R31.9 C61 N13.30 N32.81 N13.2 I86.1 N46.9 R33.9 N30.00 "
        "N45.1 C67.9 N43.3 N41.9 N48.1 N39.41 R31.0 N20.2 N30.90 R35.0 N21.0 R97.20 C64.1 C64.2 N41.0",
        "consult",
    ),
    _specialty(
        "Gastroenterology",
        2.3,
        "adult:72 elder:28",
        "K2 K3 K5 K6 K7 K8 K9 R1 B18 D12",
        "K21.9 K29.70 K58.9 K58.0 K76.0 K21.00 B96.81 K27.9 K50.90 K51.90 K59.00 R10.13 K57.30 D12.6 K64.9 "
        "K74.60 K92.1 K92.2 R13.10 K85.90 K25.9 K26.9 B18.2 K90.0 R19.7 K44.9 K63.5 R74.01 B18.1 K58.1 "
        "K80.20 K22.70 K70.30 K50.00 K51.00 K29.50 K92.0",
        "consult",
    ),
    _specialty(
        "Endocrinology",
        1.8,
        "adult:62 elder:30 woman:8",
        "E0 E1 E2 E3 E5 E6 E7 E8 C73 M81",
        "E11.65 E11.9 E03.9 E55.9 E04.1 E05.90 E78.5 E66.01 E10.9 E06.3 E11.22 E11.42 E10.65 E66.9 E05.00 "
        "E28.2 C73 M81.0 E04.2 E21.0 D35.2 E11.649 E11.319 E22.1 E83.51 E89.0 E23.0 E27.40 E20.9 E10.42",
        "consult",
    ),
    _specialty(
        "Pulmonology",
        1.4,
        "adult:52 elder:48",
        "J A15 C34 D86 I26 I27 G47.3 R05 R06 R91",
        "J45.909 J44.9 J44.1 J18.9 G47.33 J45.901 J47.9 J84.10 J90 R91.1 C34.90 J45.40 J45.50 J20.9 J15.9 "
        "I26.99 J96.01 J43.9 J96.11 A15.0 R05.3 D86.0 J44.0 J45.20 J30.9 C34.11 C34.12 I27.20 J42 J98.4 J13",
        "consult",
    ),
    _specialty(
        "Family Medicine",
        1.3,
        "adult:56 child:20 elder:20 woman:4",
        "J0 J2 J3 K2 K5 L2 L3 M54 M25 N3 R Z00 B0 B3",
        "J06.9 I10 Z00.00 E11.9 M54.50 K21.9 E78.5 F41.9 R10.9 J02.9 E55.9 N39.0 R51.9 J01.90 L30.9 J30.9 "
        "F32.A B34.9 M25.561 G43.909 D50.9 F17.210 Z23 E03.9 K59.00 H10.9 M79.10 R42 R05.9 F32.9",
        "brief",
    ),
    _specialty(
        "Neurology",
        1.0,
        "adult:62 elder:32 child:6",
        "G I6 R2 R4 R51 M54 F0",
        "G43.909 R51.9 G40.909 G93.9 I63.9 G47.00 G35.D R42 G56.01 G20.A1 G62.9 E11.42 G51.0 G44.209 M54.16 "
        "G30.9 I69.351 I69.354 R56.9 G43.109 G45.9 F03.90 G50.0 I61.9 G40.901 G40.309 G25.0 G25.81 G56.02",
        "consult",
    ),
    _specialty(
        "Psychiatry",
        0.8,
        "adult:80 child:8 elder:12",
        "F G47 R45 Z63",
        "F41.9 F32.9 F41.1 F33.1 F32.1 F20.9 F31.9 F43.20 F90.9 F42.9 F41.0 F33.9 F43.10 G47.00 F43.9 F10.20 "
        "F17.210 F60.3 F84.0 F33.2 F32.A F41.8 F31.81 F20.0 F43.23 F32.2 F50.00 R45.851 F11.20 F25.9",
        "letter",
    ),
    _specialty(
        "Nephrology",
        0.7,
        "adult:46 elder:54",
        "N0 N1 N2 E87 E83 I12 I13 T86.1 Z99.2 D63",
        "N18.30 N18.4 N18.6 I12.0 N17.9 D63.1 I12.9 E11.22 N18.5 Z99.2 E87.5 N25.81 N04.9 N18.9 E87.1 N18.2 "
        "E87.20 N18.31 N18.32 E83.39 E11.21 M32.14 Q61.2 Z94.0 N02.9 I13.0 E87.70 N05.9",
        "consult",
    ),
    _specialty(
        "Rheumatology",
        0.6,
        "adult:66 elder:34",
        "M0 M1 M3 M4 M79 L40.5 D86",
        "M06.9 M05.79 M32.9 M10.9 M79.7 L40.50 M45.9 M15.9 M35.00 M25.50 M32.10 M81.0 M35.3 M34.9 M19.90 "
        "M06.09 M1A.9XX0 M33.20 M31.6 M46.90 M35.9 M25.561",
        "letter",
    ),
    _specialty(
        "Oncology",
        0.5,
        "adult:48 elder:52",
        "C D4 D6 D7 Z51 Z85",
        "C50.911 C50.912 C34.90 C18.9 Z51.11 C61 C79.51 C78.00 C78.7 C20 D70.1 C83.30 C25.9 C73 C16.9 D63.0 "
        "C50.919 C34.11 C34.12 C56.9 C90.00 C81.90 C92.00 C22.0 C77.9 G89.3 C79.31 C53.9",
        "letter",
    ),
    _specialty(
        "Physical Medicine and Rehabilitation",
        0.4,
        "adult:54 elder:40 child:6",
        "M5 M6 G8 I69 S14 S24 S34 Z89 R26 M24",
        "M54.50 I69.351 I69.354 M62.81 R26.2 G81.91 G82.20 M54.2 R26.89 G80.9 M24.541 M25.561 G81.94 R29.6 "
        "M54.16 Z89.511 Z89.512 M79.7",
        "letter",
    ),
    _specialty(
        "Infectious Diseases",
        0.33,
        "adult:70 elder:26 child:4",
        "A B J09 J1 L03 M86 R50 U07",
        "A41.9 U07.1 B20 A15.0 J18.9 N39.0 L03.115 B18.2 R50.9 A23.9 A01.00 B18.1 A04.72 M86.9 I33.0 A41.51 "
        "B37.0 A49.02 L03.116 B50.9 A90 J15.9",
        "consult",
    ),
    _specialty(
        "Neonatology",
        0.3,
        "infant:100",
        "P Q2 Q3 Q5 Q6 Q9 Z38",
        "Z38.00 P59.9 P07.18 Z38.01 P22.0 P07.38 P22.1 P36.9 P70.4 P92.9 P07.39 P28.40 P59.0 P08.1 Q21.10 "
        "P05.9 P70.1 P39.9 P74.31 P74.32 P61.2 Q25.0 P22.9",
        "brief",
    ),
)

"""Which medical specialties treat a code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SpecialtyPlaces:
    """The places of ICD that a specialty treats, written as in `rules.Rule`.

    Args:
        name: name of the specialty, as in LOSSES table 3 where the paper names it.
        icd10: places in ICD-10-CM.
        icd9: places in ICD-9-CM.
    """

    name: str
    icd10: str
    icd9: str


# A code may belong to several: who makes the diagnosis, who treats it and whose patient has it. The chapters
# follow organs as departments do, so places suffice.
SPECIALTIES = (
    SpecialtyPlaces(
        "Internal Medicine",
        "A00-A09 A30-A49 B15-B34 B95-B97 D50-D89 E00-E89 I10-I1A I80-I99 J09-J22 J40-J4A K20-K31 K50-K52 "
        "K70-K77 M10 N10-N19 N30 N39 R00-R09 R50-R99 U07 U09 Z51 Z79 Z86",
        "001-009 030-041 070-079 240-289 401-405 451-459 480-496 530-537 555-558 570-573 580-599 780-799",
    ),
    SpecialtyPlaces(
        "Obstetrics and Gynaecology",
        "C50-C58 D05 D06 D24-D28 D39 E28 F53 N60-N98 O00-O9A Q50-Q52 R87 Z01.4 Z12.4 Z30-Z37 Z39 Z3A Z97.5 "
        "Z98.51",
        "174 179-184 217-221 233 256 610-629 630-679 752 V22-V28 V88.0 V89 V91",
    ),
    SpecialtyPlaces(
        "Pediatrics",
        "A33 A36 A37 A38 A80 B01 B05 B06 B08 B26 E30 E34.3 E45 E84 F70-F98 G80 H65 H66 J05 J20 J21 L20 L22 "
        "M08 P00-P96 Q00-QA0 R62 Z00.1 Z14 Z15 Z23 Z38 Z62 Z76.1 Z76.2",
        "032 033 034 045 052 055 056 057 072 259 277.0 299 313-319 343 381 382 464 466 691 740-779 783.4 "
        "V20 V21 V83 V84 V29-V39",
    ),
    SpecialtyPlaces(
        "Orthopedics",
        "D16 D21 G56 M00-M99 Q65-Q79 S03.0 S12 S13 S22 S23 S32 S33 S40-S99 T84 T87 Z47 Z89 Z96.6 Z96.7 Z98.1",
        "213 215 354 710-739 754-756 800-848 V43.6 V49.6 V49.7 V54",
    ),
    SpecialtyPlaces(
        "Emergency",
        "I21 I46 I60-I61 I63 J80 J96 K35 R00-R13 R40 R55-R58 S00-T79 T80.5 T88 V00-Y99 Z03 Z04",
        "410 427.5 430-434 518.8 540 780.0 780.2 785 786 789 800-995 E000-E999",
    ),
    SpecialtyPlaces(
        "Dermatology",
        "A46 A51 A63.0 B00 B02 B07 B35-B37 B85-B88 C43-C44 C46 C4A D03 D04 D17-D18 D22-D23 D48.5 D49.2 "
        "L00-L99 Q80-Q82 Q84 R20-R23 T20-T34",
        "035 053 054 078 110-112 132-134 172 173 214 216 228 232 680-709 757 782 940-949",
    ),
    SpecialtyPlaces(
        "ENT",
        "C00-C14 C30-C32 D10 D11 D14.0 D14.1 H60-H95 J00-J06 J30-J39 K11 Q16 Q17 Q30-Q32 Q35 R04.0 R07.0 "
        "R13 R42-R43 R47 R49 S02.2 T16 T17.0 T17.1 T17.2 T17.3 Z01.1 Z45.3 Z96.2 Z96.3 Z97.4",
        "140-149 160 161 210 212.0 212.1 380-389 460-465 470-478 527 744 748 780.4 784.4 784.7 802.0 931-933",
    ),
    SpecialtyPlaces(
        "Ophthalmology",
        "A71 B00.5 B30 C69 D31 E05.0 E08.3 E09.3 E10.3 E11.3 E13.3 G45.3 H00-H59 Q10-Q15 S05 T15 T26 Z01.0 "
        "Z83.5 Z94.7 Z96.1 Z97.0 Z97.3 Z98.4 Z98.83",
        "076 077 190 224 250.5 360-379 743 870 871 918 921 930 940 V43.0 V43.1 V72.0",
    ),
    SpecialtyPlaces(
        "Dental",
        "C03 C06 D10.0 D10.1 D10.2 D10.3 D11 D16.4 D16.5 K00-K14 M26-M27 S01.5 S02.5 S03.2 Z01.2 Z46.3 "
        "Z46.4 Z96.5 Z97.2 Z98.81",
        "143 210 213.0 213.1 520-529 524 873.6 V52.3 V53.4 V58.5 V72.2",
    ),
    SpecialtyPlaces(
        "Cardiology",
        "A52.0 D15.1 I00-I5A I70-I79 I95 I97 Q20-Q28 R00 R01 R03 R07 R55 R57.0 R94.3 T82 Z45.0 Z82.4 Z86.7 "
        "Z94.1 Z94.3 Z95 Z98.6",
        "390-429 440-449 458 745-747 785 786.5 V12.5 V42.1 V42.2 V43.2 V43.3 V45.0 V45.8 V53.3",
    ),
    SpecialtyPlaces(
        "General Surgery",
        "C15-C26 C50 C73 D05 D17 D19 D20 D21 D24 D34 D36 E04 E05 I83 K35-K46 K56-K57 K60-K68 K80-K95 L02 "
        "L05 L72 N60-N64 R10 R19.0 S11 S21 S25-S27 S31 S35-S37 T80-T88 Z18 Z40-Z43 Z45 Z48 Z52 Z93 Z94 "
        "Z96-Z98",
        "150-159 174 209 214 215 217 229 226 240-242 454 455 540-543 550-553 560-569 574-579 610-611 682 "
        "685 789 860-869 996-999 V42-V45 V50 V51 V53 V55 V58 V59 V88 V90",
    ),
    SpecialtyPlaces(
        "Urology",
        "C60-C68 D07 D09.0 D29-D30 D40-D41 N13 N20-N23 N28 N30-N53 N99 Q53-Q55 Q60-Q64 R30-R39 R80-R82 "
        "R97.2 S37 T83 Z98.52 Z12.5 Z12.6 Z46.6 Z96.0",
        "185-189 222 223 591-608 752-753 788 867 939 996.3 996.6 V10.4 V10.5 V53.6",
    ),
    SpecialtyPlaces(
        "Gastroenterology",
        "A00-A09 B15-B19 C15-C25 D12-D13 D19.1 I85 K20-K95 R10-R19 R74 Z12.1 Z86.01 Z94.4 Z98.0",
        "001-009 070 150-157 209 211 456 530-579 787 789 790 V12.7 V42.7",
    ),
    SpecialtyPlaces(
        "Endocrinology",
        "C73-C75 D34-D35 E00-E89 M80-M83 N25.1 O24 P70-P72 R73 Z46.81 Z45.1 Z68 Z79.4 Z83.3 Z96.41",
        "193 194 226 227 240-259 270-278 588.1 648.0 733.0 775 783 790.2 V58.67 V85",
    ),
    SpecialtyPlaces(
        "Pulmonology",
        "A15 A31 A37 A48.1 B44 C33-C34 C38-C39 C45 D14 D15 D19.0 D38 D86 G47.3 I26-I27 J09-J99 P22-P28 "
        "Q33-Q34 R04-R06 R09 R84 R91 U07 U09 Z94.3 Z99.0 Z99.1 Z99.8 Z94.2",
        "010-018 033 135 162-163 212 235.7 327.2 415-417 480-519 748 770 786 793.1 V42.6 V46",
    ),
    SpecialtyPlaces(
        "Family Medicine",
        "A09 B00-B09 B34-B36 E11 E55 E78 F32 F41 H10 H61 H66 I10 J00-J06 J11 J20 J30 J45 K21 K29 K30 K59 "
        "L20-L30 M25 M54 M79 N30 N39 N76 R05 R10 R42 R50-R53 R68 Z00-Z04 Z08 Z09 Z11-Z15 Z20-Z29 Z53 "
        "Z55-Z78 Z80-Z92",
        "009 052-057 078 079 110 250 268 272 300 311 372 380 382 401 460-466 477 490 493 530 535 564 599 "
        "616 692 719 724 729 780 786 789 V01-V21 V40-V49 V58 V60-V87",
    ),
    SpecialtyPlaces(
        "Neurology",
        "A80-A89 C70-C72 D32-D33 D36.1 D42-D43 E08.4 E09.4 E10.4 E11.4 E13.4 F01-F03 G00-G99 H46-H49 H81 "
        "I60-I69 M50-M51 M54 Q00-Q07 R25-R29 R40-R42 R47-R48 R51 R55-R56 R90 R94.0 S04 S06 S14 S24 S34 "
        "T85.0 T85.1 Z45.4 Z82.0 Z98.2",
        "045-049 191 192 225 250.6 290 294 320-359 377 378 386 430-438 721-724 740-742 780 781 784 850-854 "
        "950-957 V12.4 V53.0",
    ),
    SpecialtyPlaces(
        "Psychiatry",
        "F01-F99 G47 R41 R44-R46 T36-T43 T51 T74 T76 X71-X83 Y07 Z04.6 Z04.7 Z13.3 Z62-Z65 Z69-Z73 Z81 "
        "Z86.5 Z91.4 Z91.5",
        "290-319 327 780 799 965-970 995.5 995.8 E950-E959 V11 V15.4 V17.0 V40 V61 V62 V71.0 V79",
    ),
    SpecialtyPlaces(
        "Nephrology",
        "D59.3 D63.1 E08.2 E09.2 E10.2 E11.2 E13.2 E83.3 E83.5 E87 I12-I13 I15 I70.1 M32.14 N00-N29 O26.83 "
        "Q60-Q63 R31 R34 R80 R94.4 T82.4 T86.1 Z49 Z90.5 Z91.15 Z94.0 Z99.2",
        "250.4 275 276 283.1 285.2 403 404 440.1 580-589 593 646.2 753 788 791 794.4 996.8 V42.0 V45.1 V56",
    ),
    SpecialtyPlaces(
        "Rheumatology",
        "D86 E79 I00-I02 I73.0 L40.5 M00-M25 M30-M36 M45-M49 M60-M62 M65-M81 M1A R70 Z82.6",
        "135 274 390-392 443.0 446 696.0 710-721 725-729 733.0 V13.4 V17.7",
    ),
    SpecialtyPlaces(
        "Oncology",
        "C00-D49 D63.0 D64.81 D70.1 E88.3 G89.3 N99.82 R97 T45.1 Z08 Z12 Z15.0 Z17 Z19 Z51.0 Z51.1 Z80 Z85 "
        "Z92.21 Z92.3",
        "140-239 285.22 338.3 795.8 963.1 V10 V16 V58.0 V58.1 V66.1 V66.2 V67.1 V67.2 V76 V84 V86",
    ),
    SpecialtyPlaces(
        "Physical Medicine and Rehabilitation",
        "B91 G54-G59 G80-G83 I69 M21-M25 M40-M54 M60-M79 R26-R27 R29 S14 S24 S34 T87 Z44 Z46 Z47 Z73.6 Z74 "
        "Z89 Z97.1 Z99.3",
        "138 342-344 353-357 438 718-729 736-738 781 905-907 952 V43.7 V49 V52 V54 V57",
    ),
    SpecialtyPlaces(
        "Infectious Diseases",
        "A00-B99 G00-G07 I33 J09-J18 L03 M00 M86 N39.0 O98 P35-P39 R50 R65 R78.81 T80.2 T81.4 U07.1 U09 "
        "Z16 Z20-Z23 Z86.1",
        "001-139 320-326 421 449 480-488 647 681 682 711 730 771 780.6 790.7 995.9 996.6 998.5 V01-V09 V12.0",
    ),
    SpecialtyPlaces(
        "Neonatology",
        "A33 P00-P96 Q00-Q07 Q20-Q28 Q33 Q39 Q41-Q45 Q79 Q89-Q99 Z00.11 Z05 Z38",
        "740-748 750 751 756.6 756.7 758-779 V29-V39",
    ),
)

# Whom a code goes to that no specialty claims: health services and circumstances to the family doctor, diseases
# and whatever else a later list may add to the internist.
LAST_RESORT = (
    ("Family Medicine", "Z00-Z99", "V01-V91"),
    ("Internal Medicine", "A00-Y99", "001-999 E000-E999"),
)

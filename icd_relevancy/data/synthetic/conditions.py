"""What the patients of synthetic stays have, and what they are given for it.

General clinical knowledge written down for this generator, not counted in any data.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One condition of a synthetic hospital.

    Attributes:
        name: What it is called in `CONDITIONS`.
        ward: Ward of a stay for it.
        icd10cm: Its ICD-10-CM codes, most frequent first.
        icd9cm: Its ICD-9-CM codes, most frequent first.
        frequency: How often it occurs at age 20, 50 and 80, of 1,000 stays.
        sex: `"female"` or `"male"` where it only occurs in one, else `""`.
        drugs: Drugs given for it, each with the share of the stays that have it.
        leads_to: Conditions seen with it, each with the share of the stays.
        chronic: Whether a patient has it in every stay.
    """

    name: str
    ward: str
    icd10cm: tuple[str, ...]
    icd9cm: tuple[str, ...]
    frequency: tuple[float, float, float]
    sex: str
    drugs: tuple[tuple[str, float], ...]
    leads_to: tuple[tuple[str, float], ...]
    chronic: bool


def _shares(text: str) -> tuple[tuple[str, float], ...]:
    pairs = (item.rsplit(":", 1) for item in text.split())
    return tuple((name.replace("_", " "), float(share)) for name, share in pairs)


def _condition(record: str) -> Condition:
    head, codes, given = record.split("\n", 2)
    name, ward, occurs = (part.strip() for part in head.split("|"))
    icd10cm, icd9cm = codes.split("|")
    *frequency, marks = occurs.split() if occurs[-1].isalpha() else [*occurs.split(), ""]
    drugs, _, leads_to = given.partition("->")
    return Condition(
        name=name,
        ward=ward,
        icd10cm=tuple(icd10cm.split()),
        icd9cm=tuple(icd9cm.split()),
        frequency=tuple(map(float, frequency)),
        sex="female" if "f" in marks else "male" if "m" in marks else "",
        drugs=_shares(drugs),
        leads_to=_shares(leads_to),
        chronic="c" in marks,
    )


# name | ward | frequency at 20, 50 and 80, and marks (c chronic, f or m one sex)
#     ICD-10-CM codes | ICD-9-CM codes
#     drugs -> what it leads to
_TABLE = """
hypertension | Medicine | 20 330 600 c
    I10 I16.0 I11.9 | 401.9 401.1 402.90
    lisinopril:.4 amlodipine:.35 hydrochlorothiazide:.2 losartan:.18 metoprolol:.2 hydralazine:.08
hyperlipidemia | Medicine | 10 230 350 c
    E78.5 E78.00 E78.2 E78.1 | 272.4 272.0 272.2 272.1
    atorvastatin:.6 simvastatin:.2 rosuvastatin:.12 ezetimibe:.05 fenofibrate:.06
type 2 diabetes | Medicine | 8 150 230 c
    E11.9 E11.65 E11.22 E11.42 E11.319 E11.40 E11.51 | 250.00 250.02 250.40 250.60 250.50 250.70
    metformin:.35 insulin_lispro:.6 insulin_glargine:.45 glipizide:.12 sitagliptin:.08 glucagon:.2
    dextrose:.3 -> chronic_kidney_disease:.1
type 1 diabetes | Medicine | 12 6 2 c
    E10.9 E10.65 E10.22 | 250.01 250.03 250.41
    insulin_lispro:.9 insulin_glargine:.85 glucagon:.4 dextrose:.3
diabetic ketoacidosis | Intensive care | 10 7 2
    E10.10 E11.10 E10.11 | 250.13 250.11 250.12
    insulin:.95 potassium_chloride:.8 dextrose:.7 sodium_bicarbonate:.15 potassium_phosphate:.3 ->
    hypokalemia:.3 acute_kidney_injury:.3 dehydration:.4
coronary artery disease | Cardiology | 1 70 260 c
    I25.10 I25.2 I25.119 I25.5 Z95.1 | 414.01 412 414.00 414.8 V45.81
    aspirin:.85 metoprolol:.55 atorvastatin:.6 nitroglycerin:.25 clopidogrel:.25
myocardial infarction | Cardiology | 1 26 45
    I21.4 I21.3 I21.19 I21.09 I22.2 | 410.71 410.91 410.41 410.11
    aspirin:.95 heparin:.8 clopidogrel:.5 ticagrelor:.25 atorvastatin:.8 metoprolol:.75
    nitroglycerin:.55 morphine:.35 eptifibatide:.1 -> coronary_artery_disease:.8 heart_failure:.2
heart failure | Cardiology | 2 40 180 c
    I50.9 I50.23 I50.33 I50.22 I50.32 I50.43 I11.0 | 428.0 428.23 428.33 428.22 428.32 428.43 402.91
    furosemide:.85 carvedilol:.35 spironolactone:.22 metoprolol:.3 lisinopril:.35 bumetanide:.1
    torsemide:.1 sacubitril:.06 metolazone:.07 -> hypokalemia:.15 acute_kidney_injury:.15
atrial fibrillation | Cardiology | 1 28 190 c
    I48.91 I48.0 I48.20 I48.92 | 427.31 427.32
    metoprolol:.5 diltiazem:.3 amiodarone:.25 apixaban:.35 warfarin:.28 digoxin:.12 rivaroxaban:.1
ventricular tachycardia | Cardiology | 1 6 10
    I47.20 I49.01 I46.9 | 427.1 427.41 427.5
    amiodarone:.75 lidocaine:.3 magnesium_sulfate:.45 epinephrine:.3 -> hypokalemia:.25
deep vein thrombosis | Medicine | 4 12 18
    I82.409 I82.401 I82.402 I82.4Z9 | 453.40 453.41 453.42
    enoxaparin:.55 heparin:.45 warfarin:.35 apixaban:.35 rivaroxaban:.15
pulmonary embolism | Medicine | 3 12 16
    I26.99 I26.92 I26.09 | 415.19 415.13 415.0
    heparin:.7 enoxaparin:.5 apixaban:.3 warfarin:.3 alteplase:.05 -> deep_vein_thrombosis:.35
ischemic stroke | Neurology | 2 18 55
    I63.9 I63.512 I63.511 I63.40 I63.50 | 434.91 434.11 434.01
    aspirin:.8 atorvastatin:.75 clopidogrel:.35 alteplase:.1 labetalol:.2 nicardipine:.12 ->
    dysphagia:.25 hypertension:.5
intracerebral hemorrhage | Neurology | 2 8 16
    I61.9 I61.0 I61.5 I62.9 | 431 432.9
    nicardipine:.6 labetalol:.45 levetiracetam:.5 mannitol:.15 -> hypertension:.5
subarachnoid hemorrhage | Neurology | 2 6 4
    I60.9 I60.7 I60.2 | 430
    nimodipine:.85 levetiracetam:.5 nicardipine:.35
epilepsy | Neurology | 18 18 20 c
    G40.909 R56.9 G40.901 G40.89 | 345.90 780.39 345.3 345.80
    levetiracetam:.65 lorazepam:.3 phenytoin:.2 valproic_acid:.15 lamotrigine:.15 lacosamide:.12
    carbamazepine:.08
parkinson disease | Neurology | 0 3 28 c
    G20.A1 G20.C | 332.0
    carbidopa:.85 levodopa:.85 pramipexole:.12 ropinirole:.1 entacapone:.1
dementia | Geriatrics | 0 3 110 c
    F03.90 G30.9 F01.50 | 294.20 331.0 290.40
    donepezil:.35 memantine:.25 quetiapine:.2 haloperidol:.06 -> delirium:.2
delirium | Geriatrics | 3 15 70
    R41.0 F05 R41.82 | 780.97 293.0 298.9
    haloperidol:.3 quetiapine:.35 olanzapine:.1 melatonin:.2
multiple sclerosis | Neurology | 4 6 2 c
    G35.D G35.A | 340
    baclofen:.45 glatiramer:.12 methylprednisolone:.3 gabapentin:.3
migraine | Neurology | 25 20 4 c
    G43.909 G43.109 | 346.90 346.00
    sumatriptan:.4 topiramate:.25 metoclopramide:.3 propranolol:.12
pneumonia | Medicine | 18 45 110
    J18.9 J15.9 J13 J15.212 J69.0 | 486 482.9 481 482.42 507.0
    ceftriaxone:.55 azithromycin:.5 levofloxacin:.2 vancomycin:.3 piperacillin:.22 tazobactam:.22
    cefepime:.15 -> respiratory_failure:.25 sepsis:.2
COPD | Pulmonology | 0 60 150 c
    J44.9 J44.1 J44.0 J43.9 | 496 491.21 491.22 492.8
    albuterol:.75 ipratropium:.65 tiotropium:.35 prednisone:.35 budesonide:.2 formoterol:.12
    fluticasone:.25 salmeterol:.22 azithromycin:.15 -> respiratory_failure:.12 tobacco_use:.4
asthma | Pulmonology | 70 55 35 c
    J45.909 J45.901 J45.40 | 493.90 493.92 493.00
    albuterol:.85 montelukast:.3 fluticasone:.4 prednisone:.25 budesonide:.15
respiratory failure | Intensive care | 9 40 80
    J96.01 J96.00 J96.21 J96.02 J80 | 518.81 518.84 518.82
    propofol:.55 fentanyl:.6 midazolam:.3 chlorhexidine:.5 albuterol:.35 rocuronium:.15
    cisatracurium:.08 dexmedetomidine:.2
tuberculosis | Infectious diseases | 2 2 2
    A15.0 A15.9 | 011.90 011.93
    isoniazid:.9 rifampin:.85 pyrazinamide:.75 ethambutol:.75 pyridoxine:.7
sleep apnea | Pulmonology | 5 55 55 c
    G47.33 G47.30 | 327.23 780.57
    modafinil:.04 -> obesity:.45
pulmonary hypertension | Pulmonology | 1 8 22 c
    I27.20 I27.0 | 416.8 416.0
    sildenafil:.25 bosentan:.08 furosemide:.5 treprostinil:.04
sepsis | Intensive care | 10 40 85
    A41.9 R65.21 A41.51 A41.01 A41.02 R65.20 | 038.9 785.52 038.42 038.11 038.12 995.91
    vancomycin:.75 piperacillin:.5 tazobactam:.5 cefepime:.3 norepinephrine:.45 meropenem:.2
    vasopressin:.15 hydrocortisone:.15 -> acute_kidney_injury:.45 respiratory_failure:.25
    lactic_acidosis:.3
urinary tract infection | Medicine | 22 45 140
    N39.0 N10 N30.00 | 599.0 590.10 595.0
    ceftriaxone:.5 ciprofloxacin:.28 nitrofurantoin:.18 sulfamethoxazole:.12 trimethoprim:.12
cellulitis | Medicine | 15 28 30
    L03.115 L03.116 L03.90 L02.415 | 682.6 682.9 682.3
    vancomycin:.45 cefazolin:.4 clindamycin:.22 cephalexin:.2 sulfamethoxazole:.1 trimethoprim:.1
osteomyelitis | Infectious diseases | 2 8 7
    M86.9 M86.171 M46.20 | 730.20 730.07 730.08
    vancomycin:.65 cefazolin:.3 ceftriaxone:.25 rifampin:.12 daptomycin:.12
clostridium difficile | Infectious diseases | 2 8 24
    A04.72 A04.71 | 008.45
    metronidazole:.5 vancomycin:.75 fidaxomicin:.08 -> dehydration:.25
HIV | Infectious diseases | 5 9 2 c
    B20 Z21 | 042 V08
    emtricitabine:.7 tenofovir:.75 dolutegravir:.4 darunavir:.2 ritonavir:.22 abacavir:.12 lamivudine:.2
    sulfamethoxazole:.3 trimethoprim:.3
candidiasis | Infectious diseases | 4 9 14
    B37.0 B37.81 B37.31 | 112.0 112.84 112.1
    fluconazole:.65 nystatin:.5 micafungin:.12 clotrimazole:.12
herpes zoster | Infectious diseases | 1 4 9
    B02.9 B02.29 | 053.9 053.19
    valacyclovir:.6 acyclovir:.45 gabapentin:.35
influenza | Medicine | 6 8 12
    J10.1 J11.1 J09.X2 | 487.1 487.0 488.82
    oseltamivir:.85 albuterol:.25
chronic kidney disease | Nephrology | 2 45 190 c
    N18.30 N18.9 N18.4 N18.5 I12.9 I13.0 | 585.3 585.9 585.4 585.5 403.90 404.91
    calcitriol:.22 sevelamer:.08 sodium_bicarbonate:.2 epoetin_alfa:.07 furosemide:.25 ->
    anemia_of_chronic_disease:.25 hypertension:.5
end-stage renal disease | Nephrology | 2 22 28 c
    N18.6 Z99.2 I12.0 | 585.6 V45.11 403.91
    sevelamer:.6 epoetin_alfa:.5 calcium_acetate:.25 cinacalcet:.25 heparin:.4 calcitriol:.2
    folic_acid:.3 -> hyperkalemia:.2 anemia_of_chronic_disease:.5
acute kidney injury | Nephrology | 8 55 140
    N17.9 N17.0 | 584.9 584.5
    sodium_bicarbonate:.18 sodium_chloride:.5 furosemide:.2 -> hyperkalemia:.15
hyperkalemia | Nephrology | 1 16 35
    E87.5 | 276.7
    sodium_polystyrene_sulfonate:.5 calcium_gluconate:.5 insulin:.45 dextrose:.5
hypokalemia | Medicine | 12 35 60
    E87.6 | 276.8
    potassium_chloride:.95 magnesium_oxide:.2
hyponatremia | Medicine | 4 30 70
    E87.1 E22.2 | 276.1 253.6
    sodium_chloride:.7 tolvaptan:.05
hypomagnesemia | Medicine | 3 18 25
    E83.42 | 275.2
    magnesium_sulfate:.9 magnesium_oxide:.3
lactic acidosis | Intensive care | 4 14 22
    E87.20 E87.21 | 276.2
    sodium_bicarbonate:.3
dehydration | Medicine | 14 25 55
    E86.0 E86.1 | 276.51 276.52
    sodium_chloride:.8 lactated_ringers:.4
gastroesophageal reflux | Medicine | 20 120 170 c
    K21.9 K21.00 | 530.81 530.11
    pantoprazole:.5 omeprazole:.35 famotidine:.25 ranitidine:.15
gastrointestinal bleeding | Gastroenterology | 5 25 55
    K92.2 K92.1 K92.0 K25.4 K26.4 | 578.9 578.1 578.0 531.40 532.40
    pantoprazole:.85 octreotide:.22 iron_sucrose:.08 phytonadione:.12 -> blood_loss_anemia:.6
cirrhosis | Gastroenterology | 1 26 20 c
    K74.60 K70.30 K70.31 K76.6 K72.90 | 571.5 571.2 572.3 572.2
    lactulose:.6 rifaximin:.35 spironolactone:.45 furosemide:.45 nadolol:.2 albumin:.3 octreotide:.15
    thiamine:.25 -> alcohol_use_disorder:.35 thrombocytopenia:.35
pancreatitis | Gastroenterology | 7 14 10
    K85.90 K85.20 K86.1 | 577.0 577.1
    hydromorphone:.55 morphine:.35 lactated_ringers:.6 ondansetron:.5 pancrelipase:.15 ->
    alcohol_use_disorder:.3
inflammatory bowel disease | Gastroenterology | 10 8 4 c
    K50.90 K51.90 K50.80 | 555.9 556.9 555.2
    mesalamine:.45 prednisone:.35 infliximab:.2 azathioprine:.18 adalimumab:.1
constipation | Medicine | 10 35 70
    K59.00 K59.03 | 564.00 564.09
    senna:.65 docusate:.7 polyethylene_glycol:.55 bisacodyl:.4 lactulose:.12
appendicitis | Surgery | 22 8 3
    K35.80 K35.32 | 540.9 540.1
    cefoxitin:.3 metronidazole:.45 ceftriaxone:.4 ketorolac:.4 oxycodone:.4
cholecystitis | Surgery | 9 22 25
    K81.0 K80.00 K80.20 | 575.0 574.00 574.20
    ceftriaxone:.4 metronidazole:.4 ampicillin:.2 sulbactam:.2 oxycodone:.3
bowel obstruction | Surgery | 4 14 24
    K56.609 K56.50 K56.7 | 560.9 560.81 560.1
    metoclopramide:.15 lactated_ringers:.6 hydromorphone:.3 -> dehydration:.3
hypothyroidism | Medicine | 10 70 150 c
    E03.9 E89.0 | 244.9 244.0
    levothyroxine:.95
hyperthyroidism | Medicine | 3 6 6 c
    E05.90 E05.00 | 242.90 242.00
    methimazole:.75 propranolol:.35 propylthiouracil:.08
adrenal insufficiency | Medicine | 2 4 5 c
    E27.40 E27.1 | 255.41
    hydrocortisone:.8 fludrocortisone:.4 prednisone:.25
obesity | Medicine | 40 130 60 c
    E66.9 E66.01 E66.3 | 278.00 278.01 278.02
    orlistat:.01
malnutrition | Medicine | 6 22 50
    E46 E43 R64 | 263.9 261 799.4
    multivitamin:.5 parenteral_nutrition:.15 megestrol:.1 mirtazapine:.12
vitamin D deficiency | Medicine | 10 30 40 c
    E55.9 | 268.9
    cholecalciferol:.7 ergocalciferol:.35 calcium_carbonate:.25
osteoporosis | Geriatrics | 0 12 95 c
    M81.0 | 733.00 733.01
    alendronate:.35 calcium_carbonate:.55 cholecalciferol:.6 denosumab:.05
gout | Medicine | 0 28 50 c
    M10.9 M1A.9XX0 | 274.9 274.00
    allopurinol:.7 colchicine:.4 febuxostat:.06 indomethacin:.06
rheumatoid arthritis | Rheumatology | 4 18 22 c
    M06.9 M05.9 | 714.0
    methotrexate:.45 prednisone:.45 hydroxychloroquine:.3 folic_acid:.4 etanercept:.1 adalimumab:.08
lupus | Rheumatology | 7 7 2 c
    M32.9 M32.14 | 710.0
    hydroxychloroquine:.75 prednisone:.55 mycophenolate_mofetil:.3 azathioprine:.15
iron deficiency anemia | Medicine | 15 28 50 c
    D50.9 D50.0 | 280.9 280.0
    ferrous_sulfate:.75 iron_sucrose:.15 ascorbic_acid:.15
blood loss anemia | Medicine | 10 35 55
    D62 | 285.1
    ferrous_sulfate:.25 iron_sucrose:.05
anemia of chronic disease | Medicine | 4 25 50 c
    D63.8 D63.1 D64.9 | 285.29 285.21 285.9
    epoetin_alfa:.15 ferrous_sulfate:.25 folic_acid:.12
thrombocytopenia | Hematology | 5 22 30
    D69.6 D69.3 D75.821 | 287.5 287.31 289.84
    argatroban:.08 prednisone:.08
sickle cell disease | Hematology | 8 3 0 c
    D57.00 D57.1 | 282.62 282.60
    hydroxyurea:.6 hydromorphone:.75 ketorolac:.3 folic_acid:.75 diphenhydramine:.4
lung cancer | Oncology | 0 20 35 c
    C34.90 C34.11 C78.7 C79.51 | 162.9 162.3 197.7 198.5
    dexamethasone:.45 carboplatin:.2 pembrolizumab:.15 ondansetron:.45 morphine:.4 -> tobacco_use:.5
    cancer_pain:.35
breast cancer | Oncology | 0 25 32 cf
    C50.919 C50.911 Z85.3 | 174.9 174.8 V10.3
    anastrozole:.3 letrozole:.2 tamoxifen:.25 paclitaxel:.12 trastuzumab:.08 ondansetron:.3
prostate cancer | Oncology | 0 12 70 cm
    C61 Z85.46 | 185 V10.46
    leuprolide:.3 bicalutamide:.2 tamsulosin:.3
colon cancer | Oncology | 1 14 26 c
    C18.9 C20 C78.7 | 153.9 154.1 197.7
    fluorouracil:.25 oxaliplatin:.22 leucovorin:.25 ondansetron:.4 irinotecan:.07
lymphoma | Oncology | 4 9 12 c
    C85.90 C83.30 C81.90 | 202.80 200.70 201.90
    rituximab:.35 prednisone:.35 allopurinol:.4 doxorubicin:.2 cyclophosphamide:.25 acyclovir:.3 ->
    neutropenia:.3
leukemia | Oncology | 4 6 9 c
    C92.00 C91.10 C91.00 | 205.00 204.10 204.00
    cytarabine:.3 allopurinol:.5 acyclovir:.45 fluconazole:.4 filgrastim:.15 -> neutropenia:.5
    thrombocytopenia:.4
multiple myeloma | Oncology | 0 6 11 c
    C90.00 C90.01 | 203.00 203.01
    bortezomib:.35 lenalidomide:.25 dexamethasone:.65 acyclovir:.45 zoledronic_acid:.2
neutropenia | Oncology | 2 5 5
    D70.9 D70.1 | 288.00 288.03
    cefepime:.75 filgrastim:.45 vancomycin:.35
cancer pain | Oncology | 1 10 14
    G89.3 | 338.3
    morphine:.5 oxycodone:.5 fentanyl:.35 hydromorphone:.35 senna:.4 -> constipation:.35
kidney transplant | Nephrology | 3 8 3 c
    Z94.0 T86.11 | V42.0 996.81
    tacrolimus:.85 mycophenolate_mofetil:.75 prednisone:.75 sulfamethoxazole:.5 trimethoprim:.5
    valganciclovir:.25
depression | Psychiatry | 70 120 90 c
    F32.A F33.9 F32.9 F33.2 | 311 296.30 296.20 296.33
    sertraline:.3 escitalopram:.22 bupropion:.15 trazodone:.22 mirtazapine:.14 duloxetine:.14
    citalopram:.12 fluoxetine:.12
anxiety | Psychiatry | 80 85 50 c
    F41.9 F41.1 F41.0 | 300.00 300.02 300.01
    lorazepam:.4 alprazolam:.2 hydroxyzine:.2 buspirone:.12 clonazepam:.22 sertraline:.2
bipolar disorder | Psychiatry | 14 14 4 c
    F31.9 F31.30 | 296.80 296.50
    lithium_carbonate:.35 quetiapine:.35 lamotrigine:.3 valproic_acid:.25 olanzapine:.2
schizophrenia | Psychiatry | 10 11 4 c
    F20.9 F25.9 | 295.90 295.70
    risperidone:.3 olanzapine:.3 haloperidol:.28 clozapine:.15 benztropine:.3 aripiprazole:.18
alcohol use disorder | Psychiatry | 22 55 12
    F10.20 F10.239 F10.10 | 303.90 291.81 305.00
    thiamine:.85 folic_acid:.75 chlordiazepoxide:.3 lorazepam:.5 diazepam:.35 multivitamin:.65 ->
    hypomagnesemia:.3
opioid use disorder | Psychiatry | 28 18 2 c
    F11.20 F11.23 | 304.00 292.0
    methadone:.4 buprenorphine:.35 naloxone:.4 clonidine:.15 -> hepatitis_C:.2
tobacco use | Medicine | 70 150 90 c
    F17.210 Z87.891 Z72.0 | 305.1 V15.82
    nicotine:.55 bupropion:.06 varenicline:.04
hepatitis C | Gastroenterology | 8 22 6 c
    B18.2 B19.20 | 070.54 070.70
    sofosbuvir:.12 ledipasvir:.06
insomnia | Psychiatry | 10 35 40 c
    G47.00 F51.01 | 780.52 307.42
    trazodone:.4 zolpidem:.35 melatonin:.4 temazepam:.1
chronic pain | Medicine | 12 45 40 c
    G89.29 G89.4 | 338.29 338.4
    gabapentin:.45 oxycodone:.4 tramadol:.2 duloxetine:.15 acetaminophen:.5 lidocaine:.25
low back pain | Orthopedics | 10 35 40 c
    M54.50 M51.26 M48.061 | 724.2 722.10 724.02
    cyclobenzaprine:.35 ibuprofen:.25 gabapentin:.35 oxycodone:.25 tizanidine:.1
neuropathy | Neurology | 2 18 35 c
    G62.9 G60.9 | 356.9 357.2
    gabapentin:.65 pregabalin:.22 duloxetine:.15
hip fracture | Orthopedics | 2 6 48
    S72.001A S72.141A S72.142A | 820.8 820.21
    enoxaparin:.65 oxycodone:.6 acetaminophen:.8 cefazolin:.65 calcium_carbonate:.2 -> osteoporosis:.35
    delirium:.2
rib fractures | Trauma | 14 12 16
    S22.41XA S22.42XA S27.0XXA | 807.03 807.04 860.0
    oxycodone:.65 acetaminophen:.7 lidocaine:.55 ketorolac:.35 ibuprofen:.25
concussion | Trauma | 14 7 14
    S06.0X0A S06.5X0A | 850.0 852.21
    levetiracetam:.4 acetaminophen:.65
drug overdose | Intensive care | 22 14 2
    T50.901A T39.1X1A T40.2X1A | 977.9 965.4 965.09
    naloxone:.4 acetylcysteine:.35 charcoal:.25
benign prostatic hyperplasia | Urology | 0 45 220 cm
    N40.0 N40.1 | 600.00 600.01
    tamsulosin:.7 finasteride:.35 terazosin:.06 -> urinary_retention:.12
urinary retention | Urology | 2 10 40
    R33.9 | 788.20
    tamsulosin:.45 bethanechol:.06
kidney stones | Urology | 10 16 8
    N20.0 N20.1 | 592.0 592.1
    ketorolac:.6 tamsulosin:.5 hydromorphone:.3 ondansetron:.4
delivery | Obstetrics | 160 0 0 f
    O80 O82 Z37.0 O70.1 | 650 669.71 V27.0 664.11
    oxytocin:.9 ibuprofen:.75 docusate:.55 bupivacaine:.5 fentanyl:.45 prenatal_vitamins:.6
preeclampsia | Obstetrics | 12 0 0 f
    O14.13 O14.03 O13.3 | 642.53 642.43 642.33
    magnesium_sulfate:.75 labetalol:.65 nifedipine:.4 hydralazine:.3 betamethasone:.2 -> delivery:.6
gestational diabetes | Obstetrics | 12 0 0 f
    O24.410 O24.414 | 648.83 648.81
    insulin_lispro:.3 insulin_nph:.25 metformin:.12 -> delivery:.7
endometriosis | Gynecology | 9 9 0 f
    N80.9 D25.9 | 617.9 218.9
    norethindrone:.2 leuprolide:.1 ketorolac:.45 ibuprofen:.4
dysphagia | Neurology | 1 7 30
    R13.10 R13.12 | 787.20 787.22
    famotidine:.12
glaucoma | Ophthalmology | 0 9 55 c
    H40.9 H40.1190 | 365.9 365.10
    latanoprost:.6 timolol:.45 brimonidine:.2 dorzolamide:.2
psoriasis | Dermatology | 8 14 10 c
    L40.9 L40.50 | 696.1 696.0
    triamcinolone:.35 methotrexate:.15 clobetasol:.3 etanercept:.07
"""

CONDITIONS = {
    condition.name: condition for condition in map(_condition, re.split(r"\n(?=\S)", _TABLE.strip()))
}

# Given for no condition in particular: share of all stays.
BACKGROUND = _shares(
    """acetaminophen:.6 sodium_chloride:.55 heparin:.38 docusate:.25 ondansetron:.38 senna:.18 pantoprazole:.15
    potassium_chloride:.18 magnesium_sulfate:.12 insulin_lispro:.06 oxycodone:.15 morphine:.12 fentanyl:.1
    lorazepam:.07 dextrose:.08 lactated_ringers:.12 famotidine:.1 bisacodyl:.1 polyethylene_glycol:.1
    cefazolin:.07 hydromorphone:.07 diphenhydramine:.06 melatonin:.06 albuterol:.05 lidocaine:.05"""
)

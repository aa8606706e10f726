"""For whom and where a code may be used: sex, age, pregnancy, and its place among the diagnoses of a stay."""

from icd_relevancy.codes.rules import Rule

FEMALE_TITLE = (
    r"\b(female|women|vagin(a|al|itis|ismus|osis|ocele)|vaginali[st]|"
    r"vulv\w*|cervicitis|uter(us|ine)|ovar(y|ies|ian)|fallopian|cervix uteri|endometri\w*|"
    r"climacteric|menopaus\w*|postmenopaus\w*|menstru\w*|labium|labia|pregnan\w*|mother|broad ligament|"
    r"round ligament|placenta\w*)\b"
)
# Case tells men from the acronym of multiple endocrine neoplasia (MEN).
MALE_TITLE = (
    r"\b(male|(?-i:[Mm]en)|penis|penile|prostat\w*|test(is|es|icle|icles|icular)|scrot\w*|seminal|sperm\w*|"
    r"epididym\w*|tunica vaginalis|vas deferens|orchitis|vasectomy|foreskin|prepuce|circumcision|"
    r"balanitis|balanoposthitis|balanic|ejaculat\w*)\b"
)
# Elsewhere the sex words say something else: the mother of a newborn, an object of the outside world, the sex
# of an occupant.
WHERE_SEX_IS_ANATOMY_10 = (
    "A00-B99 C00-D49 D60-D89 E00-E89 F52 F53 G43 I00-I99 L00-L99 M80-M85 N00-N99 Q50-Q56 R00-R99 S30-S39 T19 "
    "T21 T83 Z00-Z99 P54 P83"
)
WHERE_SEX_IS_ANATOMY_9 = "001-799 860-999 V01-V91"
# A disease of relatives says nothing of the patient's own sex.
RELATIVES_10 = "Z80-Z84"
RELATIVES_9 = "V16-V19"

USAGE_RULES = (
    Rule(
        "female_only",
        "usage",
        "Only women have the organ or the condition: female genital organs, pregnancy, childbirth and the "
        "puerperium (every code of that chapter, NNBSVR §3.1.1), and titles that say so.",
        icd10="A34 C51-C58 D06 D25-D28 D39 E28 F53 M83.0 N70-N77 N80-N98 O00-O9A Q50-Q52 Q96 Q97 R87 "
        "Z03.7 Z32-Z34 Z36 Z37 Z39 Z3A",
        icd9="179-184 218-221 233.1 233.2 233.3 236.0 236.1 236.2 236.3 256 614-616 617-629 630-679 752.0 "
        "752.1 752.2 752.3 752.4 V22-V24 V27 V28 V89",
        title=FEMALE_TITLE,
        within10=WHERE_SEX_IS_ANATOMY_10,
        within9=WHERE_SEX_IS_ANATOMY_9,
        unless=r"\bmale\b|affect(ed|ing) (by|newborn|fetus)|tunica vaginalis|vaginali[st] hydrocele|"
        r"avoid pregnancy",
        not10=RELATIVES_10,
        not9=RELATIVES_9,
    ),
    Rule(
        "male_only",
        "usage",
        "Only men have the organ or the condition: male genital organs, and titles that say so.",
        icd10="C60-C63 D29 D40 E29 N40-N53 Q53-Q55 Q98 R86",
        icd9="185-187 222 233.4 233.5 233.6 236.4 236.5 236.6 257 600-608 752.5 752.6",
        title=MALE_TITLE,
        within10=WHERE_SEX_IS_ANATOMY_10,
        within9=WHERE_SEX_IS_ANATOMY_9,
        unless=r"\bfemale\b|\bvagina(l)?\b|\bvulva",
        not10=RELATIVES_10,
        not9=RELATIVES_9,
    ),
    Rule(
        "newborn_only",
        "usage",
        "The patient is in the first 28 days of life: the chapter of conditions that originate in the perinatal "
        "period (NNBSVR §3.1.1), liveborn infants, and titles that speak of the newborn as the patient.",
        icd10="A33 P00-P96 Z05 Z38",
        icd9="760-779 V29-V39",
        title=r"\b(newborn|neonat\w*|liveborn|meconium)\b",
        unless=r"\b(care|outcome of delivery|mother|management of pregnancy|pregnancy|history)\b",
        not10="O00-O9A Z37",
        not9="630-679 V27",
    ),
    Rule(
        "child_only",
        "usage",
        "The patient is a child (under 18): the disease is one of childhood by its definition, or the title "
        "says child, adolescent, infantile, juvenile or puberty. Diseases that are named after their onset but "
        "last or are seen in adults do not count: of joints and bones, of metabolism, congenital ones, epilepsy, "
        "and the disorders of F80-F98, which the tabular list allows at any age.",
        icd10="B08.2",
        icd9="058.1 V20",
        title=r"\b(child|children|childhood|adolescent|infant|infants|infantile|juvenile|puberty|baby|pediatric)\b",
        unless=r"\b(parent|parental|adult|history of|childbirth|liveborn|newborn|neonat\w*|arthritis|epilep\w*|"
        r"polyposis|maltreatment by|paralysis|perpetrator)\b|foster child",
        not10="A50 E70-E88 F80-F98 G12 G40 J84 L40 M00-M99 O00-O9A P00-P96 Q00-QA0 V00-Y99 Z37 Z38",
        not9="090 250 299 312-315 330 343 365 630-679 694 710-739 760-779 E000-E999 V27-V39 V61 V79",
    ),
    Rule(
        "adult_only",
        "usage",
        "The patient is an adult: wear of age (senile, age-related, presenile, postmenopausal), degeneration of "
        "vessels (atherosclerosis, varicose veins of the legs), alcoholic organ damage, diseases of the ageing "
        "prostate, male infertility and impotence, dust lungs of working life, and titles that say adult.",
        icd10="F03 H25 I25.7 I70 I83 J60 J61 K70 M80.0 M81.0 N40 N41 N42 N46 N52 R54 Z68.2 Z68.3 Z68.4 Z68.1",
        icd9="290 366.1 440 454 500 501 571.0 571.1 571.2 571.3 600 601 602 606 607.84 V85.0 V85.1 V85.2 V85.3 V85.4",
        title=r"\b(senile|senility|presenile|adult|adults|age-related|postmenopausal|involutional|atherosclero\w*)\b",
        unless=r"\b(pediatric|adult respiratory distress|child)\b",
        not10="V00-Y99",
        not9="E000-E999",
    ),
    Rule(
        "maternity_only",
        "usage",
        "The patient is pregnant, in labour or in the puerperium: the obstetric chapter (NNBSVR §3.1.1) and the "
        "encounters of a normal pregnancy and its outcome.",
        icd10="A34 C58 D39.2 F53 M83.0 O00-O9A Z03.7 Z33 Z34 Z36 Z37 Z39 Z3A",
        icd9="630-679 V22-V24 V27 V28 V89",
        title=r"\b(in pregnancy|pregnant state|of pregnancy|pregnant|postpartum|puerper\w*)\b",
        unless=r"\b(test|history of|not pregnant|unspecified sex|prevent|instruction)\b",
        within10="A00-N99 Z00-Z99",
        within9="001-629 680-759 V01-V91",
    ),
    Rule(
        "pregnancy",
        "usage",
        "About pregnancy, childbirth and the puerperium (NNBSVR table 1), also where the patient is not the mother "
        "or no longer pregnant: the obstetric chapter and every title that names pregnancy or a fetus.",
        icd10="O00-O9A Z33 Z34 Z36 Z3A",
        icd9="630-679 V22 V23 V28",
        title=r"\b(pregnan\w*|gestation\w*|fetus|fetal|antenatal|antepartum|abortion)\b",
        as_written=True,
        not10="P00-P96",
        not9="760-779",
    ),
    Rule(
        "childbirth",
        "usage",
        "About labour and delivery or its outcome.",
        icd10="O60-O82 Z37 Z38",
        icd9="650 660-669 V27 V30-V39",
        title=r"\b(labor|delivery|childbirth)\b",
        within10="O00-O9A P00-P96 Z30-Z39",
        within9="630-679 760-779 V20-V39",
    ),
    Rule(
        "puerperium",
        "usage",
        "About the six weeks after delivery, lactation included.",
        icd10="O85-O92 F53 Z39",
        icd9="670-676 V24",
        title=r"\b(puerper\w*|postpartum|lactation|lactating|postnatal)\b",
    ),
    Rule(
        "manifestation_only",
        "usage",
        'The code names what another disease does (the asterisk of ICD-10): its title ends in "in diseases '
        'classified elsewhere" or the like, so the underlying disease must be coded first.',
        icd10="D63 E08",
        icd9="321 323.0 323.4 323.6 323.7 330.2 330.3 357.1 357.2 357.3 357.4 362.0 366.4 425.7 425.8 484 517 "
        "711.1 711.2 711.3 711.4 711.5 711.6 711.7 711.8 712.1 712.2 712.3 713 730.7 730.8 737.4",
        title=r"(in|of|with|due to|associated with) (certain |other |specified |other specified )?"
        r"(\w+ )?(\w+ )?(\w+ )?(diseases?|disorders?|conditions?) (classified|classifiable) elsewhere|"
        r"classified elsewhere|in conditions classified",
        unless=r"not elsewhere classified|organisms? classified|bacterial agents as|as the cause of diseases",
        not10="B95-B97 Z00-Z99 O00-O9A",
        not9="041 079 293 294 V01-V91 640-679",
        inherited=True,
    ),
    Rule(
        "unacceptable_principal",
        "usage",
        "Not a reason for admission by itself: circumstances, histories, statuses, screening and counselling "
        "(most of the Z chapter), organisms named as a cause, scales, adverse effects and underdosing (their "
        "nature is coded first), and codes that must follow another. Care that people are admitted for is "
        "acceptable: observation, operations, aftercare, fitting of devices, treatment, birth. "
        "External causes are never a principal diagnosis either; they have a feature of their own.",
        icd10="B95-B97 L49 O09 O94 R29.7 R40.2 R65 Z00-Z99",
        icd9="041 V01-V91",
        title=r"^(underdosing|adverse effect)\b",
        not10="Z03-Z05 Z36 Z38 Z40 Z42-Z45 Z47 Z48 Z51",
        not9="V29-V39 V50-V59 V66 V67 V71",
    ),
    Rule(
        "present_on_admission_exempt",
        "usage",
        "Says nothing that could arise during a stay, so no present-on-admission flag is asked for: congenital "
        "conditions, sequelae, later encounters of an injury, circumstances, histories, statuses and places.",
        icd10="B90-B94 E64 I69 O09 O80 O94 Q00-Q99 V00-Y99 Z00-Z99",
        title=r"\b(subsequent encounter|sequela)\b",
        within10="S00-Y99 M00-M99",
        icd9="137-139 740-759 V01-V91 E000-E999",
    ),
    Rule(
        "surgical_only",
        "usage",
        "Presupposes an operation or another procedure: complications of surgery and care, the postprocedural "
        "disorders that end each chapter, aftercare, artificial openings, implants and transplants.",
        icd10="D78 E36 E89 G96.11 G97 H59 H95 I97 J95 K91 K94 K95 L76 M96 N99 T80-T88 Y83 Y84 Y62-Y69 Z40-Z49 "
        "Z90 Z93-Z98",
        icd9="996-999 E870-E879 V42-V45 V50-V58",
        title=r"\b(postprocedural|intraoperative|postoperative|following surgery|surgical|post-surgical|stoma)\b",
    ),
    Rule(
        "external_cause",
        "usage",
        "Tells how, where or in what activity something happened, beside the code of the injury.",
        icd10="V00-Y99",
        icd9="E000-E999",
    ),
    Rule(
        "symptom_or_finding",
        "usage",
        "A symptom, sign or abnormal finding, used where no diagnosis was made.",
        icd10="R00-R99",
        icd9="780-799",
    ),
)

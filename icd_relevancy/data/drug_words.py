"""The words around an ingredient in the name of a drug, and other names of frequent ingredients.

General knowledge of pharmacy (RxNorm's dose forms, salts and routes; common brands), not counted in any data.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UNITS = _words(
    """mg mcg ug ng gm gms gram grams kg ml liter liters litre cc meq mmol mol unit units iu mu mmu million
    thousand pct percent mci mbq kbq puff puffs spray sprays drop drops gtt gtts hr hrs hour hours min mins
    minute day days week lb oz in inch cm mm each ea dose doses actuation act amp billion cells cfu elemental"""
)

FORMS = _words(
    """tab tabs tablet tablets caplet caplets cap caps capsule capsules chew chewable chewtab odt dispertab sl
    disintegrating dispersible soln solution sol susp suspension elixir elix syrup syrp liquid liq conc
    concentrate drops inj injection injectable injector vial vials ampul ampule ampoule syringe syringes syr syrn
    prefilled pen pens flexpen kwikpen solostar cartridge bag bags bottle btl premix premixed minibag infusion
    infus drip bolus piggyback ivpb pca pcea cadd cassette lvp carpuject tubex patch patches ptch td24 ptwk
    transdermal film films lozenge lozenges troche troches gum wafer strip strips suppository suppositories supp
    suppos enema rectal cream crm oint ointment gel lotion lot foam shampoo paste powder pwdr pow packet packets
    pckt pkt granules effervescent inhaler inhal inhalation inh neb nebs nebu nebulizer nebulized aero aerosol
    hfa mdi dpi diskus respimat handihaler turbuhaler rotahaler ophth ophthalmic opht otic nasal spray swab pad
    kit pack device implant ring stick mouthwash mouthrinse rinse irrigation irrig emulsion emul dosepak vaccine
    recon reconstituted lyophilized pf preservative free sterile sugar"""
)

ROUTES = _words(
    """po iv im sc sq subq subcut subcutaneous intravenous intramuscular oral orally pr pv top topical buccal
    sublingual intrathecal epidural intradermal vaginal vag ng peg ou od os ij or na re tp td ih ex mt intranasal
    intravitreal intraarticular ivp bid tid qid daily qd qhs prn qam qpm stat nightly once twice hourly"""
)

QUALIFIERS = _words(
    """er xr sr cr la xl cd dr ec ir sa 24hr 12hr extended release sustained delayed immediate
    controlled modified enteric coated long acting short rapid depot human hum rec recombinant anlog
    analog pork bovine beef purified generic brand nf non-formulary formulary order orders only med meds
    medication home patient own supply use dosing protocol per pharmacy consult standard adult pediatric ped
    peds infant child children childrens junior neonatal low high dose strength double ds extra max maximum regular
    plus advanced adv complete new old for of the a an as to with by from up flush lock sliding scale bulk obs
    study placebo investigational research trial misc miscellaneous unlisted drug drugs name unknown other
    nonformulary custom compound compounded mixture additive additives volume line mix green orange blue red yellow
    white purple starter titration maintenance loading continuous
    intermittent rate total miv mivf fluid fluids diluent base non zz"""
)

SALTS = _words(
    """hydrochloride hcl dihydrochloride hydrobromide hbr bromide chloride iodide fluoride sulfate sulphate sulf
    bisulfate phosphate phos diphosphate acetate acet citrate tartrate bitartrate tart bitart maleate mal
    malate fumarate furoate succinate succ sod sodium na disodium potassium pot calcium ca magnesium mesylate
    mes besylate tosylate ditosylate nitrate mononitrate dinitrate gluconate lactate propionate dipropionate prop
    valerate pamoate palmitate decanoate enanthate cypionate stearate oxide hydroxide carbonate bicarbonate
    trihydrate dihydrate monohydrate hydrate anhydrous hemihydrate hyclate isethionate xinafoate napsylate nap
    axetil proxetil medoxomil cilexetil etexilate alafenamide disoproxil sodium-potassium
    tromethamine trometamol meglumine arginine benzoate salicylate camsylate edisylate esylate ethylsuccinate
    estolate polistirex pivoxil mofetil marboxil aspartate orotate glycerophosphate glycinate"""
)

# The first word of a salt that is itself the ingredient, so its second word says which.
METALS = _words(
    """sodium potassium calcium magnesium zinc iron ferrous ferric lithium aluminum aluminium bismuth silver
    selenium copper cupric manganese chromium gold barium lanthanum strontium ammonium hydrogen nitric"""
)
# What stands for one word of a longer name.
ABBREVIATED = {"mag": "magnesium", "pot": "potassium", "sod": "sodium", "calc": "calcium", "alum": "aluminum"}
# A single letter counts only after one of these: vitamin K, penicillin G.
LETTERED = frozenset(("vitamin", "penicillin", "amphotericin", "polymyxin", "hepatitis", "coenzyme"))
# Two salts of one base that are prescribed for different things, or a base that no one gives without it.
KEPT_SALTS = {"isosorbide": ("mononitrate", "dinitrate"), "mycophenolate": ("mofetil",)}

# Parts of a name before or after a hyphen that do not stand for an ingredient of their own.
HYPHENATED = _words(
    """alpha beta gamma delta omega epsilon acetyl ortho para meta trans methyl ethyl propyl hydroxy dihydro
    neo solu depo slow anti poly multi semi zinc sodium potassium factor type phase interferon vitamin"""
)

# Brand, abbreviation or name outside the United States -> ingredients, joined by "+".
SYNONYMS = {
    name.replace("_", " "): tuple(ingredient.replace("_", " ") for ingredient in ingredients.split("+"))
    for name, ingredients in (
        pair.split("=")
        for pair in """
abilify=aripiprazole accolate=zafirlukast accupril=quinapril aciphex=rabeprazole activase=alteplase
actonel=risedronate actos=pioglitazone adalat=nifedipine adderall=amphetamine+dextroamphetamine
adenocard=adenosine advair=fluticasone+salmeterol advil=ibuprofen aggrenox=aspirin+dipyridamole
aldactone=spironolactone aleve=naproxen allegra=fexofenadine altace=ramipril amaryl=glimepiride
ambien=zolpidem ancef=cefazolin apresoline=hydralazine aranesp=darbepoetin_alfa aricept=donepezil
arixtra=fondaparinux asacol=mesalamine atarax=hydroxyzine ativan=lorazepam atrovent=ipratropium
augmentin=amoxicillin+clavulanate avapro=irbesartan avelox=moxifloxacin azactam=aztreonam
bactrim=sulfamethoxazole+trimethoprim benadryl=diphenhydramine benicar=olmesartan bentyl=dicyclomine
betapace=sotalol brevibloc=esmolol brilinta=ticagrelor bumex=bumetanide buspar=buspirone bystolic=nebivolol
calan=verapamil capoten=captopril cardene=nicardipine cardizem=diltiazem cardura=doxazosin
catapres=clonidine celebrex=celecoxib celexa=citalopram cellcept=mycophenolate_mofetil chantix=varenicline
cialis=tadalafil cipro=ciprofloxacin claritin=loratadine cleocin=clindamycin clinoril=sulindac
clozaril=clozapine cogentin=benztropine colace=docusate combivent=ipratropium+albuterol
compazine=prochlorperazine coreg=carvedilol coumadin=warfarin cozaar=losartan crestor=rosuvastatin
cubicin=daptomycin cymbalta=duloxetine cytomel=liothyronine cytotec=misoprostol decadron=dexamethasone
demadex=torsemide demerol=meperidine depakote=divalproex depo-provera=medroxyprogesterone desyrel=trazodone
detrol=tolterodine diflucan=fluconazole dilantin=phenytoin dilaudid=hydromorphone diovan=valsartan
diprivan=propofol ditropan=oxybutynin dobutrex=dobutamine dolophine=methadone dulcolax=bisacodyl
duoneb=ipratropium+albuterol duragesic=fentanyl ecotrin=aspirin effexor=venlafaxine effient=prasugrel
elavil=amitriptyline eliquis=apixaban enbrel=etanercept entresto=sacubitril+valsartan epogen=epoetin_alfa
exelon=rivastigmine farxiga=dapagliflozin feosol=ferrous_sulfate fioricet=butalbital+acetaminophen+caffeine
flagyl=metronidazole flexeril=cyclobenzaprine flomax=tamsulosin flonase=fluticasone florinef=fludrocortisone
flovent=fluticasone fosamax=alendronate fortaz=ceftazidime gemzar=gemcitabine geodon=ziprasidone
gleevec=imatinib glucagen=glucagon glucophage=metformin glucotrol=glipizide haldol=haloperidol
humalog=insulin_lispro humira=adalimumab humulin=insulin hytrin=terazosin
hyzaar=losartan+hydrochlorothiazide imdur=isosorbide_mononitrate imitrex=sumatriptan imodium=loperamide
imuran=azathioprine inderal=propranolol indocin=indomethacin inspra=eplerenone integrilin=eptifibatide
invanz=ertapenem isordil=isosorbide_dinitrate januvia=sitagliptin jardiance=empagliflozin
k-dur=potassium_chloride k-lor=potassium_chloride klor-con=potassium_chloride
kayexalate=sodium_polystyrene_sulfonate keflex=cephalexin keppra=levetiracetam klonopin=clonazepam
lamictal=lamotrigine lamisil=terbinafine lanoxin=digoxin lantus=insulin_glargine lasix=furosemide
lescol=fluvastatin levaquin=levofloxacin levemir=insulin_detemir levitra=vardenafil levophed=norepinephrine
levothroid=levothyroxine lexapro=escitalopram lidoderm=lidocaine linzess=linaclotide lioresal=baclofen
lipitor=atorvastatin lomotil=diphenoxylate+atropine lopid=gemfibrozil lopressor=metoprolol
lortab=hydrocodone+acetaminophen lotensin=benazepril lotrel=amlodipine+benazepril lovaza=omega-3_fatty_acids
lovenox=enoxaparin lunesta=eszopiclone luvox=fluvoxamine lyrica=pregabalin macrobid=nitrofurantoin
mavik=trandolapril maxalt=rizatriptan maxipime=cefepime maxzide=triamterene+hydrochlorothiazide
medrol=methylprednisolone megace=megestrol merrem=meropenem mestinon=pyridostigmine mevacor=lovastatin
micardis=telmisartan micronase=glyburide miralax=polyethylene_glycol mobic=meloxicam motrin=ibuprofen
mucinex=guaifenesin mucomyst=acetylcysteine mycostatin=nystatin namenda=memantine naprosyn=naproxen
narcan=naloxone nasonex=mometasone neo-synephrine=phenylephrine neurontin=gabapentin neupogen=filgrastim
nexium=esomeprazole niaspan=niacin nimotop=nimodipine nitrostat=nitroglycerin nizoral=ketoconazole
norco=hydrocodone+acetaminophen normodyne=labetalol norvasc=amlodipine novolin=insulin
novolog=insulin_aspart nubain=nalbuphine nuvigil=armodafinil onfi=clobazam ofirmev=acetaminophen
oxycontin=oxycodone pacerone=amiodarone pamelor=nortriptyline parnate=tranylcypromine paxil=paroxetine
pepcid=famotidine percocet=oxycodone+acetaminophen peridex=chlorhexidine persantine=dipyridamole
phenergan=promethazine phoslo=calcium_acetate plaquenil=hydroxychloroquine plavix=clopidogrel
pletal=cilostazol pradaxa=dabigatran pravachol=pravastatin precedex=dexmedetomidine
premarin=conjugated_estrogens prevacid=lansoprazole prilosec=omeprazole primaxin=imipenem+cilastatin
prinivil=lisinopril pristiq=desvenlafaxine proair=albuterol procardia=nifedipine procrit=epoetin_alfa
prograf=tacrolimus prolixin=fluphenazine proscar=finasteride protonix=pantoprazole proventil=albuterol
provigil=modafinil prozac=fluoxetine pulmicort=budesonide pyridium=phenazopyridine questran=cholestyramine
ranexa=ranolazine reglan=metoclopramide relafen=nabumetone remeron=mirtazapine remicade=infliximab
renagel=sevelamer renvela=sevelamer requip=ropinirole restoril=temazepam revatio=sildenafil
risperdal=risperidone ritalin=methylphenidate robaxin=methocarbamol rocephin=ceftriaxone
roxicodone=oxycodone roxanol=morphine rythmol=propafenone sandostatin=octreotide senokot=senna
septra=sulfamethoxazole+trimethoprim seroquel=quetiapine serevent=salmeterol sinemet=carbidopa+levodopa
singulair=montelukast skelaxin=metaxalone solu-cortef=hydrocortisone solu-medrol=methylprednisolone
soma=carisoprodol spiriva=tiotropium stalevo=carbidopa+levodopa+entacapone strattera=atomoxetine
sublimaze=fentanyl suboxone=buprenorphine+naloxone symbicort=budesonide+formoterol synthroid=levothyroxine
tapazole=methimazole tegretol=carbamazepine tenormin=atenolol tessalon=benzonatate tikosyn=dofetilide
topamax=topiramate toprol=metoprolol toradol=ketorolac tradjenta=linagliptin trandate=labetalol
trental=pentoxifylline tricor=fenofibrate trileptal=oxcarbazepine tylenol=acetaminophen ultram=tramadol
unasyn=ampicillin+sulbactam valium=diazepam valtrex=valacyclovir vancocin=vancomycin vantin=cefpodoxime
vasotec=enalapril ventolin=albuterol versed=midazolam vesicare=solifenacin viagra=sildenafil
vibramycin=doxycycline vicodin=hydrocodone+acetaminophen vimpat=lacosamide vistaril=hydroxyzine
vytorin=ezetimibe+simvastatin wellbutrin=bupropion xalatan=latanoprost xanax=alprazolam xarelto=rivaroxaban
xopenex=levalbuterol zanaflex=tizanidine zantac=ranitidine zaroxolyn=metolazone zebeta=bisoprolol
zestoretic=lisinopril+hydrochlorothiazide zestril=lisinopril zetia=ezetimibe zithromax=azithromycin
zocor=simvastatin zofran=ondansetron zoloft=sertraline zosyn=piperacillin+tazobactam zovirax=acyclovir
zyloprim=allopurinol zyprexa=olanzapine zyrtec=cetirizine zyvox=linezolid apap=acetaminophen asa=aspirin
hctz=hydrochlorothiazide kcl=potassium_chloride nacl=sodium_chloride nahco3=sodium_bicarbonate
mgso4=magnesium_sulfate ntg=nitroglycerin ns=sodium_chloride saline=sodium_chloride d5w=dextrose
d10w=dextrose d50w=dextrose d50=dextrose d5ns=dextrose+sodium_chloride d5=dextrose glucose=dextrose
lr=lactated_ringers ringers=lactated_ringers sw=water tpn=parenteral_nutrition ppn=parenteral_nutrition
tmp=trimethoprim smx=sulfamethoxazole smz=sulfamethoxazole mvi=multivitamin multivitamins=multivitamin
nph=insulin_nph ffp=plasma dss=docusate mom=magnesium_hydroxide 5-fu=fluorouracil
5-fluorouracil=fluorouracil pcn=penicillin percodan=oxycodone+aspirin paracetamol=acetaminophen
adrenaline=epinephrine noradrenaline=norepinephrine salbutamol=albuterol frusemide=furosemide
lignocaine=lidocaine pethidine=meperidine rifampicin=rifampin aciclovir=acyclovir ciclosporin=cyclosporine
cyclosporin=cyclosporine beclometasone=beclomethasone cefalexin=cephalexin glibenclamide=glyburide
co-trimoxazole=sulfamethoxazole+trimethoprim co-amoxiclav=amoxicillin+clavulanate acetylsalicylic=aspirin
acetylcystein=acetylcysteine phytomenadione=phytonadione vitamin_k=phytonadione vitamin_k1=phytonadione
vitamin_d=cholecalciferol vitamin_d3=cholecalciferol vitamin_d2=ergocalciferol vitamin_b12=cyanocobalamin
vitamin_b1=thiamine vitamin_b6=pyridoxine vitamin_c=ascorbic_acid ascorbic=ascorbic_acid thiamin=thiamine
thyroxine=levothyroxine isoprenaline=isoproterenol n-acetylcysteine=acetylcysteine sennosides=senna
sennoside=senna clavulanic=clavulanate clavulanate=clavulanate mycophenolic=mycophenolate
peg3350=polyethylene_glycol
""".split()
    )
}

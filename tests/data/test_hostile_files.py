"""Every reader on damaged and hostile files: it reads them, or says one line that names the file and quotes nothing."""

import gzip
import io
import json
import random
import re
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path

import hostile
import pyarrow as pa
import pytest
from hostile import PRIVATE, SECRET

from icd_relevancy.codes import (
    CodeMapping,
    atc,
    code_system_from_table,
    general_equivalence_mappings,
    knowledge_from_table,
)
from icd_relevancy.codes.edits import read_code_edits
from icd_relevancy.data import (
    DrugMapping,
    read_cmc2007,
    read_codiesp,
    read_eicu,
    read_mimic3,
    read_mimic4_hosp,
    read_notes,
    read_omop,
    read_stays,
)
from icd_relevancy.data.new_notes import read_new_notes
from icd_relevancy.data.sources.mimic import read_mimic4_notes
from icd_relevancy.errors import InputError
from icd_relevancy.settings import read_yaml
from icd_relevancy.text import WordTokenizer, read_abbreviations
from icd_relevancy.text.word_vectors import read_word_vectors
from icd_relevancy.training.notes.config import TrainingConfig
from icd_relevancy.vectors import CodeVectors
from icd_relevancy.vectors.pairs import read_code_pairs

# A reader of several formats has as many for each of them; those of whole databases are slower.
TIMES, TIMES_A_DATABASE = 120, 40

_NOTES = [
    {"note_id": "1", "text": PRIVATE, "codes": ["J18.9", "R05"], "age": 61.5, "sex": "F", "patient_id": "p1"},
    {
        "note_id": "2",
        "text": f"Fever. {PRIVATE}",
        "codes": ["R50.9"],
        "age": None,
        "sex": None,
        "patient_id": "p2",
    },
]
_MENTIONED = [note | {"mentions": [{"code": "R05", "text": PRIVATE}]} for note in _NOTES]
_NEW = [{name: value for name, value in note.items() if name != "codes"} for note in _NOTES]
_STAYS = [
    {
        "stay_id": "1",
        "drugs": ["heparin", PRIVATE],
        "codes": ["I26.99"],
        "age": 61.0,
        "sex": "M",
        "ward": "ICU",
    },
    {"stay_id": "2", "drugs": ["insulin"], "codes": ["E11.9", "I10"], "age": 7.0, "sex": "F", "ward": None},
]
_CODES = [
    {"code": "J", "title": "Respiratory", "parent": ""},
    {"code": "J18", "title": PRIVATE, "parent": "J"},
    {"code": "J18.9", "title": "Pneumonia, unspecified", "parent": "J18"},
]
_FEATURES = [
    {
        "code": "D0120",
        "title": "Examination",
        "surgical": "no",
        "fee:ordinal": "12",
        "site": PRIVATE,
        "tags": "a;b",
    },
    {
        "code": "D7140",
        "title": "Extraction",
        "surgical": "yes",
        "fee:ordinal": "80",
        "site": "jaw",
        "tags": "b",
    },
]
_ATC = [{"code": "A10BA02", "title": "metformin"}, {"code": "C03CA01", "title": PRIVATE}]
_PAIRS = [
    {"first": "I10", "second": "I10", "approximate": "0"},
    {"first": "E11.65", "second": "E11.8", "approximate": "1"},
]
_DRUGS = [{"drug": "Bactrim", "ingredient": "trimethoprim"}, {"drug": PRIVATE, "ingredient": "aspirin"}]
_CMC = f"""<?xml version="1.0" encoding="UTF-8"?>
<docs><doc id="1" type="RADIOLOGY_REPORT"><codes><code origin="CMC_MAJORITY" type="ICD-9-CM">786.2</code>
<code origin="COMPANY1" type="ICD-9-CM">786.2</code></codes><texts>
<text origin="CCHMC_RADIOLOGY" type="CLINICAL_HISTORY">{PRIVATE}</text>
<text origin="CCHMC_RADIOLOGY" type="IMPRESSION">Normal.</text></texts></doc>
<doc id="2" type="RADIOLOGY_REPORT"><codes><code origin="CMC_MAJORITY" type="ICD-9-CM">780.6</code></codes><texts>
<text origin="CCHMC_RADIOLOGY" type="IMPRESSION">{PRIVATE}</text></texts></doc></docs>
""".encode()
_CODIESP = {
    "train/text_files/S1.txt": PRIVATE.encode(),
    "train/text_files_en/S1.txt": PRIVATE.encode(),
    "train/trainD.tsv": b"S1\tr05\nS1\tj18.9\n",
    "train/trainX.tsv": f"S1\tDIAGNOSTICO\tr05\t{PRIVATE}\t0 3\n".encode(),
}
_EICU = {
    "patient.csv": b"patientunitstayid,gender,age,unittype,uniquepid\n10,Female,87,MICU,2-1\n11,Male,> 89,SICU,2-1\n",
    "diagnosis.csv": b'diagnosisid,patientunitstayid,icd9code\n1,10,"038.9, A41.9"\n2,11,"428.0, I50.9"\n',
    "medication.csv.gz": gzip.compress(
        "patientunitstayid,drugordercancelled,drugname,drughiclseqno\n"
        f"10,No,{PRIVATE},2812\n11,No,,2812\n11,Yes,ASPIRIN,1\n".encode()
    ),
    "infusiondrug.csv": f"patientunitstayid,drugname\n10,{PRIVATE}\n".encode(),
}
_HOSP = {
    "admissions.csv": b"subject_id,hadm_id,admittime\n1,100,2150-03-01 10:00:00\n2,102,2120-12-31 23:00:00\n",
    "patients.csv": b"subject_id,gender,anchor_age,anchor_year\n1,F,50,2150\n2,M,91,2120\n",
    "diagnoses_icd.csv": b"subject_id,hadm_id,seq_num,icd_code,icd_version\n1,100,2,I10,10\n2,102,1,e119,10\n",
    "prescriptions.csv.gz": gzip.compress(
        f"subject_id,hadm_id,drug_type,drug\n1,100,MAIN,{PRIVATE}\n2,102,MAIN,Heparin\n".encode()
    ),
    "services.csv": b"subject_id,hadm_id,transfertime,curr_service\n1,100,2150-03-02 10:00:00,SURG\n",
}
_MIMIC3 = {
    "ADMISSIONS.csv": b"SUBJECT_ID,HADM_ID,ADMITTIME\n1,100,2150-03-01 10:00:00\n",
    "PATIENTS.csv": b"SUBJECT_ID,GENDER,DOB\n1,F,2100-03-02 00:00:00\n",
    "DIAGNOSES_ICD.csv": b"SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE\n1,100,2,4280\n1,100,1,0389\n",
    "PRESCRIPTIONS.csv": f"SUBJECT_ID,HADM_ID,DRUG_TYPE,DRUG\n1,100,MAIN,{PRIVATE}\n".encode(),
}
_DISCHARGE = {
    "discharge.csv.gz": gzip.compress(
        f'note_id,subject_id,hadm_id,charttime,text\n1-DS-1,1,100,2152-03-01 00:00:00,"{PRIVATE}"\n'.encode()
    ),
    "diagnoses_icd.csv": _HOSP["diagnoses_icd.csv"],
    "patients.csv": _HOSP["patients.csv"],
}
_OMOP = {
    "person": [{"person_id": 1, "gender_concept_id": 8532, "year_of_birth": 1950}],
    "visit_occurrence": [{"visit_occurrence_id": 10, "person_id": 1, "visit_start_date": "2020-05-01"}],
    "condition_occurrence": [
        {"visit_occurrence_id": 10, "condition_source_value": "I50.9", "condition_concept_id": 7}
    ],
    "drug_exposure": [{"visit_occurrence_id": 10, "drug_source_value": PRIVATE, "drug_concept_id": 100}],
    "concept": [
        {"concept_id": 100, "concept_name": "furosemide", "vocabulary_id": "RxNorm", "concept_code": "4603"},
        {"concept_id": 7, "concept_name": PRIVATE, "vocabulary_id": "ICD10CM", "concept_code": "I50.9"},
    ],
}
_YAML = f"model: linear\nloss: whml\nalpha: 0.5\nseed: 7\nencoder: {PRIVATE}\nepochs: 3\n".encode()
_EDITS = (
    b"MCE_Version\tICD_Version\tMCE_Edit_Type\tICD_Code_Type\tICD_Code\tDescription\n"
    + f"37\t10\tMale_Only\tD\tN401\t{PRIVATE}\n36\t10\tFemale_Only\tD\tO80\t-\n".encode()
)
_ABBREVIATIONS = (
    f"abbreviation,expansion,context,source\nWVH,{PRIVATE},unambiguous,\nMS,morphine,mg|dose*,x\n".encode()
)
_WORDS = WordTokenizer(("fever", "cough"))
_BINARY_WORDS = b"2 2\ncough " + b"\x00\x00\x80?" * 2 + b"fever " + b"\x00\x00\x00@" * 2
_CODE_PAIRS = (
    b"a,b,match,kind,source,split\nP74.31,P74.32,no,hyper/hypo,by hand,test\nI10,I15.9,yes,x,y,test\n"
)
_GEMS = {
    "2018_I9gem.txt": b"4280  I509    00000\n0010  A000    10000\n",
    "2018_I10gem.txt": b"I509  4280    10000\n",
}
_VECTORS = {
    "vectors.npy": hostile.npy([[1.0, 0.0], [0.5, 1.0]]),
    "codes.json": b'["J18.9", "I10"]',
    "meta.json": f'{{"recipe": "{PRIVATE}"}}'.encode(),
}


def _tables(name: str, rows: list[dict], suffixes=("csv", "tsv", "jsonl", "parquet", "csv.gz", "jsonl.gz")):
    made = {
        "csv": hostile.csv_table(rows),
        "tsv": hostile.csv_table(rows, "\t"),
        "jsonl": hostile.json_lines(rows),
        "parquet": hostile.parquet(rows),
    }
    made |= {f"{kind}.gz": gzip.compress(made[kind]) for kind in ("csv", "jsonl")}
    return {f"{name}.{suffix}": made[suffix] for suffix in suffixes}


def _every(read):
    """Reads the one file of the folder."""
    return lambda folder: read(next(path for path in folder.iterdir()))


def _piped(read):
    """Reads the one file of the folder as standard input."""

    def call(folder):
        content = next(folder.iterdir()).read_bytes()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
            read("-")

    return call


_OF_SYSTEMS = ("csv", "jsonl", "parquet")
# For each reader its files, and what reads the folder that holds them.
READERS = {
    **{name: ({name: file}, _every(read_notes)) for name, file in _tables("notes", _NOTES).items()},
    **{
        f"mentioned-{name}": ({name: file}, _every(read_notes))
        for name, file in _tables("notes", _MENTIONED, ("jsonl", "parquet")).items()
    },
    **{name: ({name: file}, _every(read_stays)) for name, file in _tables("stays", _STAYS).items()},
    **{
        f"new-{name}": ({name: file}, _every(read_new_notes))
        for name, file in _tables("notes", _NEW).items()
    },
    "new-text": ({"note.txt": PRIVATE.encode()}, _every(read_new_notes)),
    "piped-notes": ({"notes.jsonl": hostile.json_lines(_NEW)}, _piped(read_new_notes)),
    "piped-text": ({"note.txt": PRIVATE.encode()}, _piped(read_new_notes)),
    "piped-stays": ({"stays.jsonl": hostile.json_lines(_STAYS)}, _piped(read_stays)),
    "cmc2007": ({"radiology.xml": _CMC}, read_cmc2007),
    "codiesp": (_CODIESP, lambda folder: read_codiesp(folder, "en")),
    "codiesp-es": (_CODIESP, lambda folder: read_codiesp(folder / "train", "es")),
    "eicu": (_EICU, read_eicu),
    "mimic3": (_MIMIC3, read_mimic3),
    "mimic4": (_HOSP, read_mimic4_hosp),
    "mimic4-notes": (_DISCHARGE, read_mimic4_notes),
    "omop": ({f"{name}.csv": hostile.csv_table(rows) for name, rows in _OMOP.items()}, read_omop),
    "omop-parquet": ({f"{name}.parquet": hostile.parquet(rows) for name, rows in _OMOP.items()}, read_omop),
    **{
        f"codes-{name}": ({name: file}, _every(code_system_from_table))
        for name, file in _tables("codes", _CODES, _OF_SYSTEMS).items()
    },
    **{
        f"features-{name}": ({name: file}, _every(knowledge_from_table))
        for name, file in _tables("features", _FEATURES, _OF_SYSTEMS).items()
    },
    **{
        f"atc-{name}": ({name: file}, _every(atc)) for name, file in _tables("atc", _ATC, _OF_SYSTEMS).items()
    },
    **{
        f"mapping-{name}": ({name: file}, _every(lambda path: CodeMapping.from_table(path, "icd10cm", "icd10am")))
        for name, file in _tables("mapping", _PAIRS, _OF_SYSTEMS).items()
    },
    **{
        f"drugs-{name}": ({name: file}, _every(DrugMapping.from_table))
        for name, file in _tables("drugs", _DRUGS, ("csv", "jsonl", "parquet")).items()
    },
    "gems": (_GEMS, general_equivalence_mappings),
    "code-edits": ({"edits.txt": _EDITS}, lambda folder: read_code_edits(folder, 10)),
    "code-pairs": ({"pairs.csv": _CODE_PAIRS}, _every(read_code_pairs)),
    "abbreviations": ({"ours.csv": _ABBREVIATIONS}, _every(read_abbreviations)),
    **{
        f"word-vectors-{name}": ({name: file}, _every(lambda path: read_word_vectors(path, _WORDS)))
        for name, file in {
            "vectors.txt": b"2 2\ncough 1 0\nfever 0 1\n",
            "glove.txt": f"cough 1 0\nfever 0 1\n{SECRET} 1 1\n".encode(),
            "vectors.bin": _BINARY_WORDS,
            "vectors.bin.gz": gzip.compress(_BINARY_WORDS),
        }.items()
    },
    "code-vectors": (_VECTORS, CodeVectors.load),
    "settings": (
        {"settings.yaml": _YAML},
        _every(lambda path: TrainingConfig.from_mapping(read_yaml(path), str(path))),
    ),
}  # fmt: skip


def problem_with(name: str, files: dict[str, bytes], folder: Path) -> str | None:
    """What is wrong with how a reader answers to files, or None.

    Args:
        name: The reader.
        files: The content of each file.
        folder: An empty folder.
    """
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            READERS[name][1](folder)
        said = "\n".join(str(warning.message) for warning in told)
        return "its warning quotes the file" if SECRET[:20] in said else None
    except InputError as error:
        shown = "".join(traceback.format_exception(error))
        if files == READERS[name][0]:
            return f"refuses a good file: {error}"
        if ("standard input" if name.startswith("piped") else str(folder)) not in str(error):
            return f"does not name the file: {error}"
        if SECRET[:20] in shown:
            return f"quotes the file: {shown}"
        return None if all(map(str.isprintable, str(error).split("\n"))) else f"is no text: {error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}\n{traceback.format_exc()}"


def damaged_files(name: str, seed: int) -> dict[str, bytes]:
    """The files of a reader, one of them damaged; as they are where the seed is 0."""
    files, chance = READERS[name][0], random.Random(f"{name} {seed}")
    hurt = chance.choice(list(files)) if seed else None
    return {
        file: hostile.damaged(content, chance) if file == hurt else content for file, content in files.items()
    }


def private_files(name: str):
    """The files of a reader with a private text in place of each word or cell in turn."""
    for file, content in READERS[name][0].items():
        if b"PAR1" in content or b"NUMPY" in content or content[:2] == b"\x1f\x8b":
            continue
        parts = re.split(rb"([,\t\n\";:{}\[\]<>=]+)", content)
        for place in range(0, len(parts), 2):
            changed = [*parts[:place], PRIVATE.encode(), *parts[place + 1 :]]
            yield READERS[name][0] | {file: b"".join(changed)}


# The rows of each reader's JSON lines or Parquet.
_ROWS = {
    "notes": _MENTIONED, "mentioned-notes": _MENTIONED, "new-notes": _NEW, "stays": _STAYS, "codes-codes": _CODES,
    "features-features": _FEATURES, "atc-atc": _ATC, "mapping-mapping": _PAIRS, "drugs-drugs": _DRUGS,
}  # fmt: skip


def typed_files(name: str):
    """The file of a reader with a value of each other type in each column of its last row, or in all rows."""
    rows, suffix = _ROWS[name.rpartition(".")[0]], name.rpartition(".")[2]
    values = hostile.JSON_VALUES if suffix == "jsonl" else hostile.PYTHON_VALUES
    for column in rows[0]:
        for value in values:
            for kept in (rows[:-1], []):
                changed = [*kept, rows[-1] | {column: value}]
                with suppress(pa.ArrowException):  # Arrow has one type a column
                    content = hostile.json_lines(changed) if suffix == "jsonl" else hostile.parquet(changed)
                    yield {next(iter(READERS[name][0])): content}


def check(name: str, versions, folder: Path) -> None:
    for number, files in enumerate(versions):
        (folder / str(number)).mkdir()
        problem = problem_with(name, files, folder / str(number))
        assert problem is None, f"{name}, version {number}: {problem}"


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_in_one_line(name, tmp_path, capsys):
    times = TIMES if len(READERS[name][0]) < 3 else TIMES_A_DATABASE
    check(name, (damaged_files(name, seed) for seed in range(times)), tmp_path)
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err


@pytest.mark.parametrize("name", READERS)
def test_a_private_text_in_any_cell_is_not_quoted(name, tmp_path):
    check(name, private_files(name), tmp_path)


@pytest.mark.parametrize("name", [f"{rows}.{suffix}" for rows in _ROWS for suffix in ("jsonl", "parquet")])
def test_values_of_other_types_are_read_or_refused(name, tmp_path):
    check(name, typed_files(name), tmp_path)


def _deep(depth: int = 100_000) -> bytes:
    return b'{"note_id": "1", "codes": "R05", "text": ' + b"[" * depth + b"]" * depth + b"}"


def _terabytes() -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1000000000000), }"
    header = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\x00" * 16


_LAUGHS = b"<!DOCTYPE docs [<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
) + b"]><docs><doc id='1'><texts><text type='IMPRESSION'>&a11;</text></texts></doc></docs>"  # fmt: skip
_CIRCLE = b"code,title,parent\nJ1,a,J3\nJ2,b,J1\nJ3,c,J2\nJ4,d,\n"


@pytest.mark.parametrize(
    ("name", "file", "content", "told"),
    [
        ("notes.jsonl", "notes.jsonl", _deep(), "line 1: malformed JSON"),
        ("new-notes.jsonl", "notes.jsonl", _deep(), "line 1: malformed JSON"),
        ("codes-codes.jsonl", "codes.jsonl", _deep(), "line 1: malformed JSON"),
        ("notes.jsonl", "notes.jsonl", b'{"note_id": %s, "text": "a", "codes": []}' % (b"7" * 5000), "line 1: malf"),
        ("mapping-mapping.jsonl", "mapping.jsonl", b'{"first": "\\ud800", "second": "I10"}', "'first': half of"),
        ("stays.jsonl", "stays.jsonl", b'{"stay_id": "1", "codes": [], "drugs": ["\\udfff"]}', "'drugs': half of"),
        ("cmc2007", "radiology.xml", b"<?xml version='1.0' encoding='x-none'?><docs/>", "(LookupError)"),
        ("cmc2007", "radiology.xml", b"<docs><doc>&secret;</doc></docs>", "(undefined entity, line 1, column 11)"),
        ("cmc2007", "radiology.xml", _LAUGHS, "not well-formed XML (limit on input amplification"),
        ("word-vectors-vectors.txt", "vectors.txt", b"2 " + b"7" * 5000 + b"\ncough 1 2\n", "line 1: vectors of 1 to"),
        ("word-vectors-vectors.bin", "vectors.bin", b"2 0\ncough x", "line 1: vectors of 1 to"),
        ("code-vectors", "vectors.npy", _terabytes(), "cannot be read: not a folder of them, or damaged (ValueError)"),
        ("code-vectors", "codes.json", b'["J18.9", ' + b"[" * 100_000, "or damaged (RecursionError)"),
        ("codes-codes.csv", "codes.csv", _CIRCLE, "'J1' leads round in a circle, 'J1' -> 'J3' -> 'J2' -> 'J1'"),
        ("features-features.csv", "features.csv", _CIRCLE, "'J1' leads round in a circle"),
        ("code-edits", "edits.txt", _EDITS.replace(b"37", "²".encode("latin-1")), "MCE_Version is '²'"),
        ("gems", "2018_I9gem.txt", "4280 I509 ²²²²²".encode("latin-1"), "row 1 is not a source code"),
        ("abbreviations", "ours.csv", _ABBREVIATIONS + b"a" * 200_000, "damaged (Error)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(name, file, content, told, tmp_path):
    files, read = READERS[name]
    assert problem_with(name, files | {file: content}, tmp_path) is None
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert told in str(caught.value)


def test_the_name_of_a_column_is_not_quoted_where_it_is_a_sentence(tmp_path):
    files, read = READERS["codes-codes.jsonl"]
    content = json.dumps({"code": "J1", "title": "a", SECRET: "\ud800"}).encode()
    assert problem_with("codes-codes.jsonl", files | {"codes.jsonl": content}, tmp_path) is None
    with pytest.raises(InputError, match="half of a surrogate pair") as caught:
        read(tmp_path)
    assert SECRET not in str(caught.value)


def test_gzip_that_breaks_late(tmp_path):
    text = "note_id,text,codes\n" + "".join(f"{n},{random.Random(n).random()},R05\n" for n in range(20_000))
    packed = bytearray(gzip.compress(text.encode()))
    packed[-3000] ^= 1
    (tmp_path / "notes.csv.gz").write_bytes(packed)
    with pytest.raises(InputError, match=r"notes\.csv\.gz: .*(gzip|parsed|UTF-8|fields)"):
        read_notes(tmp_path / "notes.csv.gz")

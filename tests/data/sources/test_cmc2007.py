"""`read_cmc2007` on a small file in the challenge's layout, and on the real one."""

import pytest

from icd_relevancy.data.sources.cmc2007 import read_cmc2007
from icd_relevancy.errors import InputError

XML = """<?xml version='1.0' encoding='utf-8'?>
<docs>
<doc id="7" type="RADIOLOGY_REPORT">
  <codes>
    <code origin="CMC_MAJORITY" type="ICD-9-CM">786.2</code>
    <code origin="CMC_MAJORITY" type="ICD-9-CM">042</code>
    <code origin="COMPANY1" type="ICD-9-CM">786.2</code>
    <code origin="COMPANY1" type="ICD-9-CM">786.2</code>
  </codes>
  <texts>
    <text origin="CCHMC_RADIOLOGY" type="IMPRESSION"> Normal &amp; clear.</text>
    <text origin="CCHMC_RADIOLOGY" type="CLINICAL_HISTORY">Cough. </text>
  </texts>
</doc>
<doc id="8" type="RADIOLOGY_REPORT">
  <codes><code origin="CMC_MAJORITY" type="ICD-9-CM">V13.02</code></codes>
  <texts><text type="CLINICAL_HISTORY"/><text type="IMPRESSION">Normal.</text></texts>
</doc>
</docs>
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "radiology.xml").write_text(XML, "utf-8")
    return tmp_path


def test_sections_codes_and_specialty(folder):
    notes = read_cmc2007(folder)
    assert notes.note_id == ("7", "8")
    assert notes.text == ("Cough.\nNormal & clear.", "Normal.")
    assert notes.codes == (("786.2", "042"), ("V13.02",))
    assert notes.specialty == ("Radiology", "Radiology")
    assert notes.source == "cmc2007"
    assert read_cmc2007(folder / "radiology.xml") == notes


def test_another_annotator(folder):
    assert read_cmc2007(folder, annotator="COMPANY1").codes == (("786.2",), ())
    with pytest.raises(InputError, match="'COMPANY9'; those there are CMC_MAJORITY, COMPANY1"):
        read_cmc2007(folder, annotator="COMPANY9")


def test_broken_files(folder):
    file = folder / "radiology.xml"
    with pytest.raises(InputError, match=r"absent[/\\]?.*no such file"):
        read_cmc2007(folder / "absent")
    file.write_text(XML.replace("Normal.", " "), "utf-8")
    with pytest.raises(InputError, match="report 8 has no text"):
        read_cmc2007(folder)
    file.write_text(XML[:300], "utf-8")
    with pytest.raises(InputError, match=r"not well-formed XML .*line"):
        read_cmc2007(folder)
    file.write_text("<html/>", "utf-8")
    with pytest.raises(InputError, match="no <doc> elements"):
        read_cmc2007(folder)


def test_real_reports(real_data):
    notes = read_cmc2007(real_data / "cmc2007")
    assert len(notes) == 736
    assert sum(map(len, notes.codes)) == 913
    assert len(notes.label_names()) == 44
    # A few reports repeat verbatim.
    assert notes.groups().max() + 1 == 729


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (">V13.02<", "><", "radiology.xml: report 8 has a <code> without a code"),
        (' id="8"', "", "radiology.xml: <doc> number 2 has no id"),
        ('id="8"', 'id="7"', "radiology.xml: <doc> number 2 has the id of number 1"),
    ],
)
def test_reports_without_what_they_need(folder, old, new, message):
    (folder / "radiology.xml").write_text(XML.replace(old, new), "utf-8")
    with pytest.raises(InputError, match=message):
        read_cmc2007(folder)

"""`icd-relevancy data check | synthetic`."""

from collections import Counter
from itertools import chain
from pathlib import Path

from icd_relevancy._arguments import check_at_least
from icd_relevancy.cli.options import add_data, check_output, note
from icd_relevancy.errors import InputError, shown_note, shown_word
from icd_relevancy.progress import doing

_SHOWN_CHANGES = 20


def add_data_commands(commands) -> None:
    """Adds `data` and its commands to the parser's commands."""
    data = commands.add_parser("data", help="check or make notes").add_subparsers(
        required=True, metavar="COMMAND"
    )
    check = data.add_parser("check", help="read notes or stays and say what is in them")
    add_data(check)
    check.set_defaults(run=_check)
    synthetic = data.add_parser("synthetic", help="write synthetic notes")
    synthetic.add_argument("--out", required=True, type=Path, metavar="FILE", help=".csv, .parquet or .jsonl")
    synthetic.add_argument("--notes", type=int, default=1000, help="default: 1000")
    synthetic.add_argument(
        "--codes", type=int, default=None, help="distinct codes, 100 or more (default: 3100)"
    )
    synthetic.add_argument("--seed", type=int, default=0, help="default: 0")
    synthetic.set_defaults(run=_synthetic)


def _check(options):
    with doing("reading the data and its codes"):
        what, parts = _read_by_system(options)
    _print_summary(what, parts, options.data)


def _read_by_system(options) -> tuple[str, dict]:
    """What a row is, and the rows of each code system."""
    from icd_relevancy.codes import code_system
    from icd_relevancy.data.sources.by_name import find_source, source_systems
    from icd_relevancy.files.records import table_columns

    named = find_source(options.data)
    columns = () if named else table_columns(options.data)
    if options.code_system:
        code_system(options.code_system)
    is_of_stays = named.of == "stays" if named else "stay_id" in columns and "note_id" not in columns
    read = _stays_by_system if is_of_stays else _notes_by_system
    return "stay" if is_of_stays else "note", read(
        options.data, source_systems(options.data), options.code_system
    )


def _notes_by_system(data: str, systems_of_source: tuple[str, ...], given: str | None) -> dict:
    """The notes of each code system that they name or, where neither they nor the user do, that knows their codes."""
    from icd_relevancy.codes import code_system, code_system_name, icd9cm, icd10cm
    from icd_relevancy.codes.icd import PACKAGED
    from icd_relevancy.data import load_notes, split_by_code_system

    notes = load_notes(
        data, None if given is None and len(systems_of_source) > 1 else given or systems_of_source[0]
    )
    system = code_system(given or systems_of_source[0])
    if notes.code_system is None:
        if given is None and any(
            system.normalise_all(chain.from_iterable(notes.codes), groups=False)[1].unknown_codes
        ):
            try:
                parts = split_by_code_system(notes, icd10cm(), icd9cm(), both=False)
            except InputError:
                return {system: notes}
            return {code_system(name): part for name, part in parts.items() if len(part)}
        return {system: notes}
    names = [system.name if name is None else code_system_name(name) for name in notes.code_system]
    systems = {system.name: system}
    for name in dict.fromkeys(names):
        if name not in (*PACKAGED, system.name):
            row = names.index(name)
            problem = f"{shown_note(notes.note_id[row], row + 1)} has the code_system {shown_word(name)}"
            raise InputError(
                f"{data}: {problem}; write icd10cm or icd9cm, or give its table by --code-system"
            )
        systems.setdefault(name, None)
        systems[name] = systems[name] or code_system(name)
    parts = {system: notes.select([of == name for of in names]) for name, system in systems.items()}
    return {system: part for system, part in parts.items() if len(part)}


def _stays_by_system(data: str, systems_of_source: tuple[str, ...], given: str | None) -> dict:
    """The stays of each code system that a source has, or of the one that is asked for."""
    from icd_relevancy.codes import code_system
    from icd_relevancy.data import load_stays

    if len(systems_of_source) == 1 or given:
        name = given or systems_of_source[0]
        return {code_system(name): load_stays(data, name)}
    parts, missing = {}, []
    for name in systems_of_source:
        try:
            parts[code_system(name)] = load_stays(data, name)
        except InputError as error:
            missing.append(error)
    if not parts:
        raise missing[0]
    for error in missing:
        note(str(error))
    return parts


def _print_summary(what: str, parts: dict, data: str) -> None:
    """Says what is in notes or stays of each code system; raises `InputError` in the end for codes of none."""
    from icd_relevancy.data.code_systems import canonical_names, shown_unknown
    from icd_relevancy.files.records import refuse

    counts = {system: Counter(chain.from_iterable(part.codes)) for system, part in parts.items()}
    named = {system: canonical_names(counted, system) for system, counted in counts.items()}
    distinct = sum(len(set(name_of.values()) - {None}) for name_of, _ in named.values())
    size, total = sum(map(len, parts.values())), sum(sum(counted.values()) for counted in counts.values())
    uncoded = sum(not codes for part in parts.values() for codes in part.codes)
    groups = {
        system: f"{len(set(part.groups().tolist()))} groups by patient" for system, part in parts.items()
    }
    by = " or repeated text" if what == "note" else ""
    # A patient may have some of each system, so their groups are no sum.
    groups_of_all = "" if len(parts) > 1 else f", {next(iter(groups.values()))}{by}"
    print(f"{size} {what}s, {total} codes, {distinct} distinct")
    if what == "stay":
        without = sum(not drugs for part in parts.values() for drugs in part.drugs)
        print(f"{uncoded} stays without codes, {without} without drugs{groups_of_all}")
    else:
        print(f"{uncoded} notes without codes{groups_of_all}")
    problems = []
    for system, (name_of, report) in named.items():
        size_of_part = f" ({len(parts[system])} {what}s, {groups[system]}{by})" if len(parts) > 1 else ""
        print(f"{system.name}{size_of_part}: {_counted(name_of, report)}")
        for change in _changes(report):
            print(f"  {change}")
        if report.unknown_codes:
            rows = zip(getattr(parts[system], f"{what}_id"), parts[system].codes, strict=True)
            shown = shown_unknown(report.unknown_codes, rows, what)
            problems.append(
                f"{data}: {len(report.unknown_codes)} codes are not {system.name}: {shown}; "
                "correct them or choose another --code-system"
            )
    refuse(problems, data)


def _counted(name_of: dict, report) -> str:
    """How the distinct codes are written, each counted once, as what it is at its best."""
    ancestors = {name_of[code] for code, _ in report.ancestor_codes}
    names = set(name_of.values()) - ancestors - {None}
    exact = sum(name in name_of for name in names)
    return f"{exact} exact, {len(names) - exact} respelled, {len(ancestors)} by an ancestor"


def _changes(report):
    for pairs in (report.reformatted_codes, report.ancestor_codes):
        for code, known in pairs[:_SHOWN_CHANGES]:
            yield f"{code} -> {known}"
        if len(pairs) > _SHOWN_CHANGES:
            yield f"and {len(pairs) - _SHOWN_CHANGES} more"


def _synthetic(options):
    from icd_relevancy.data.synthetic.notes import write_synthetic_notes
    from icd_relevancy.data.synthetic.universe import FEWEST_CODES

    check_at_least("--notes", options.notes, 1)
    check_at_least("--codes", options.codes, FEWEST_CODES)
    check_output(options.out)
    settings = {} if options.codes is None else {"n_codes": options.codes}
    try:
        write_synthetic_notes(options.out, options.notes, options.seed, **settings)
    except InputError as error:
        raise InputError(str(error).replace("n_codes is", "--codes is")) from None
    print(f"{options.out}: {options.notes} synthetic notes")

"""Scripted sessions: what the server says and the program does, to be seen the same by both packages.

All times that the server gives are in 2024. Every other time is one of the clock, and not compared.
"""

from __future__ import annotations

from collections.abc import Callable

from .side_by_side import Record, Run

AT = 'timestamp="2024-01-02T03:04:05"'

TEXT = (
    f'<defTextVector device="D" name="T" label="Site" group="Main" state="Ok" perm="rw" timeout="5" {AT}>'
    '<defText name="t" label="Name"> hill\n</defText><defText name="u">dale</defText></defTextVector>'
)
NUMBER = (
    f'<defNumberVector device="D" name="N" label="Place" group="Main" state="Idle" perm="rw" timeout="60"'
    f" {AT}>"
    '<defNumber name="x" label="X" format="%5.2f" min="0" max="10" step="1">1</defNumber>'
    '<defNumber name="y" label="Y" format="%9.6m" min="-90" max="90" step="0">-12:30:18.4</defNumber>'
    "</defNumberVector>"
)
SWITCH = (
    f'<defSwitchVector device="D" name="S" state="Ok" perm="rw" rule="OneOfMany" timeout="5" {AT}>'
    '<defSwitch name="a" label="A">On</defSwitch><defSwitch name="b">Off</defSwitch></defSwitchVector>'
)
LIGHT = (
    f'<defLightVector device="D" name="L" label="Health" state="Busy" {AT}>'
    '<defLight name="l" label="Power">Ok</defLight></defLightVector>'
)
BLOB = (
    f'<defBLOBVector device="D" name="B" label="Image" group="Main" state="Ok" perm="ro" timeout="0" {AT}>'
    '<defBLOB name="b" label="Frame"/></defBLOBVector>'
)
UPLOAD = f'<defBLOBVector device="D" name="U" state="Ok" perm="wo" {AT}><defBLOB name="u"/></defBLOBVector>'
EVERYTHING = TEXT + NUMBER + SWITCH + LIGHT + BLOB + UPLOAD


def update(kind: str, name: str, attributes: str, **members: str) -> str:
    ones = "".join(f'<one{kind} name="{member}">{value}</one{kind}>' for member, value in members.items())
    return f'<set{kind}Vector device="D" name="{name}" {attributes}>{ones}</set{kind}Vector>'


def blob(attributes: str, content: str, vector: str = 'state="Ok" timeout="0"') -> str:
    one = f'<oneBLOB name="b" {attributes}>{content}</oneBLOB>'
    return f'<setBLOBVector device="D" name="B" {AT} {vector}>{one}</setBLOBVector>'


def event(name: str) -> Callable[[Record], bool]:
    return lambda record: record.get("class") == name


def text(words: str) -> Callable[[Record], bool]:
    return lambda record: words in str(record.get("message"))


# -- an IPyClient -----------------------------------------------------------------------------


def beginning(run: Run) -> None:
    """All five types of vector are defined, as most drivers do it."""
    run.connects()
    run.hears(TEXT, "a text vector")
    run.hears(NUMBER, "a number vector")
    run.hears(SWITCH, "a switch vector")
    run.hears(LIGHT, "a light vector")
    run.hears(BLOB, "a BLOB vector")
    run.hears(
        TEXT.replace('"D"', '"E"').replace('state="Ok"', 'state="Busy" message="here"'), "another device"
    )
    run.does("client.enabledlen()", "[*client]", "[*client['D']]", "client['D']['N']['x']", title="looking")


def updates(run: Run) -> None:
    """New values and states of all types, as a device sends them all night."""
    run.connects(EVERYTHING)
    same = f'state="Ok" timeout="5" {AT}'
    run.hears(update("Text", "T", same, t="\n top \n", u=""), "texts")
    run.hears(update("Number", "N", f'state="Busy" timeout="30" {AT}', x="2.5"), "one of two numbers")
    run.hears(update("Number", "N", f'state="Alert" timeout="60" message="too far" {AT}', x="11"), "an alert")
    run.hears(update("Switch", "S", same, a="Off", b="On"), "switches")
    run.hears(update("Light", "L", f'state="Ok" {AT}', l="Alert"), "a light")
    run.hears(update("Number", "N", f'state="Idle" timeout="7.5" {AT}'), "no member at all")
    run.hears(update("Number", "N", 'state="Ok" timeout="60"', x="3"), "no timestamp")
    run.hears(update("Text", "T", f'timeout="5" {AT}', t="x"), "no state")
    run.hears(update("Text", "T", f'state="Good" timeout="5" {AT}', t="y"), "a state that is none")
    run.hears(update("Text", "X", same, t="x") + update("Switch", "T", same, t="On"), "an unknown vector")
    run.hears(update("Text", "T", same, t="x").replace('"D"', '"X"'), "an unknown device")
    run.hears(update("Text", "T", f'state="Ok" {AT}', t="x"), "no timeout")


def messages(run: Run) -> None:
    """Texts for people, from all sides."""
    run.connects(TEXT)
    run.hears(f'<message device="D" {AT} message="of a device"/>', "of a device")
    run.hears(f'<message {AT} message="of the site"/>', "of the site")
    run.hears('<message device="D" message="five &lt; 6 &amp; &quot;7&quot; is 20 &#176;C"/>', "signs")
    run.hears("".join(f'<message device="D" message="line {n}"/>' for n in range(9)), "many")
    run.does("client.report('all is well')", title="report")
    run.does("client.warning('all is not well')", title="warning")
    run.does("client.report('a <b> & c')", title="a report with signs of XML")
    run.does("setattr(client, 'enable_reports', False)", "client.report('unheard')", title="reports off")
    run.does("len(client.messages)", "client.messages[0][1]", "len(client['D'].messages)", title="looking")
    run.hears(f'<message device="X" {AT} message="I start"/>', "a device not yet known")


def timestamps(run: Run) -> None:
    run.connects(TEXT)
    for stamp in ("2024-01-02T03:04:05.123456", "2024-01-02T03:04:05.1234567", "2024-01-02T03:04:05.5", "no"):
        run.hears(f'<message device="D" timestamp="{stamp}" message="m"/>', stamp)
    for stamp in ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5Z", "2024-01-02T03:04:05+02:00"):
        run.hears(f'<message device="D" timestamp="{stamp}" message="m"/>', stamp)


def deletions(run: Run) -> None:
    """Vectors and devices go, and come again."""
    run.connects(EVERYTHING)
    run.hears(f'<delProperty device="D" name="S" {AT} message="bye"/>', "a vector")
    run.hears(update("Switch", "S", f'state="Ok" timeout="5" {AT}', b="On"), "an update of what is gone")
    run.does("client['D']['S'].enable", "client['D']['S']['a']", "len(client['D'])", title="looking at it")
    run.hears(SWITCH, "it is defined again")
    run.hears(f'<delProperty device="D" {AT} message="power off"/>', "the device")
    run.does("client['D'].enable", "client.enabledlen()", "len(client)", title="looking at the device")
    run.hears(TEXT, "one vector is defined again")
    run.hears('<delProperty device="X"/>', "an unknown device")
    run.hears(SWITCH, "another vector is defined again")
    run.hears(f'<delProperty device="D" name="X" {AT}/>', "an unknown vector")
    run.hears(f'<delProperty device="D" name="S" {AT}/>' * 2, "a vector, twice")
    run.hears(f'<delProperty device="D" {AT}/>' * 2, "a device, twice")


def redefinitions(run: Run) -> None:
    """A property is described anew with the members it has."""
    run.connects(TEXT + NUMBER)
    run.hears(TEXT.replace("hill", "top").replace('state="Ok"', 'state="Idle" message="new"'), "new values")
    run.hears(TEXT.replace('label="Site"', "").replace('group="Main"', ""), "no label, no group")
    run.hears(TEXT.replace('label="Site"', 'label="Place"').replace("Main", "Side"), "new labels")
    run.hears(NUMBER.replace('max="10"', 'max="20"').replace("%5.2f", "%4.1f"), "new limits")
    more = TEXT.replace("</defTextVector>", '<defText name="v">new</defText></defTextVector>')
    run.hears(more, "one more member")
    run.hears(TEXT.replace('<defText name="u">dale</defText>', ""), "one member less")
    run.hears(SWITCH.replace('name="S"', 'name="T"'), "another type")


def faults(run: Run) -> None:
    """What is wrong is ignored by both: nothing of it is to be seen but a message."""
    run.connects(EVERYTHING)
    run.hears(
        f'<setTextVector name="T" state="Ok" {AT}><oneText name="t">x</oneText></setTextVector>', "no device"
    )
    run.hears(
        f'<setTextVector device="D" state="Ok" {AT}><oneText name="t">x</oneText></setTextVector>', "no name"
    )
    run.hears(
        '<newTextVector device="D" name="T"><oneText name="t">echo</oneText></newTextVector>', "an echo"
    )
    run.hears('<enableBLOB device="D">Also</enableBLOB>', "enableBLOB")
    run.hears('<getProperties version="1.7" device="D" name="N"/>', "a snooping driver")
    run.hears('<getProperties version="1.7"/>', "a snooping driver that wants everything")
    run.hears('<foo device="D"><bar/></foo>', "an unknown element")


def bad_members(run: Run) -> None:
    """One bad member among good ones."""
    run.connects(EVERYTHING)
    same = f'state="Ok" timeout="5" {AT}'
    run.hears(update("Switch", "S", same, a="Off", b="Perhaps"), "a switch")
    run.hears(update("Number", "N", f'state="Idle" timeout="60" {AT}', x="two", y="45:00:00"), "a number")
    run.hears(update("Light", "L", f'state="Ok" {AT}', l="Green"), "a light")
    run.hears(update("Text", "T", same, zz="x", t="good"), "an unknown text")
    run.hears(update("Text", "T", same, t="x").replace("oneText", "oneNumber"), "children of another type")
    run.hears(update("Switch", "S", same, a="On", b="On"), "two switches On")


def odd_definitions(run: Run) -> None:
    """Definitions that lack what they should have."""
    run.connects(TEXT)
    named = TEXT.replace('name="T"', 'name="{}"').format
    run.hears(named("no state").replace('state="Ok"', ""), "no state")
    run.hears(named("no perm").replace('perm="rw"', ""), "no perm")
    run.hears(named("no timeout").replace('timeout="5"', ""), "no timeout")
    run.hears(SWITCH.replace('rule="OneOfMany"', ""), "no rule")
    run.hears(NUMBER.replace('format="%5.2f"', ""), "no format")
    run.hears(NUMBER.replace(">1<", "><"), "no number")
    run.hears(f'<defTextVector device="D" name="empty" state="Ok" perm="rw" {AT}/>', "no members")
    run.hears(BLOB.replace('timeout="0"', 'timeout="7"'), "a BLOB vector with a timeout")
    run.hears(LIGHT.replace(">Ok<", ">Green<"), "a light that is none")


def numbers(run: Run) -> None:
    """Numbers in all the ways in which devices write them, and formats."""
    run.connects(NUMBER)
    same = f'state="Idle" timeout="60" {AT}'
    for value in ("1.5", "-0:30", "12:30:18.37", "12 30 18", "12;30", "1e3", "+5", "-1:59:59.999"):
        run.hears(update("Number", "N", same, x=value, y=value), value)
    for form in ("%g", "%6.1f", "%d", "%8.3lf", "%10.3m", "%10.5m", "%10.6m", "%11.8m", "v=%.2f"):
        run.hears(NUMBER.replace("%5.2f", form), form)
    run.does(
        "client['D']['N'].getfloatvalue('y')",
        "client['D']['N'].getformattedvalue('y')",
        "client['D']['N'].member('y').getformattedstring(-0.5)",
        "client['D']['N'].member('y').getfloat('-0:30')",
        "[ipc.getfloat(text) for text in ('', ' ', '-', '+5', '--5', '1e3', '1:30', '-0:30', '1;30')]",
        "[ipc.getfloat(text) for text in ('1 30', '1  30', ':30', '1:-30', '1::3', 'inf', '1_000')]",
        "[ipc.getfloat(value) for value in (True, 3, 2.5)]",
        *(
            f"ipc.getfloat({value})"
            for value in ("'1:2:3:4'", "'0x10'", "'1,5'", "'abc'", "'1: 30'", "None", "b'1'")
        ),
        title="asking",
    )
    run.hears(update("Number", "N", f'state="Idle" timeout="60" {AT}', x="nan"), "nan")
    run.hears(
        NUMBER.replace("%5.2f", "%11.9m").replace(">1<", ">10.505102777777778<"), "hundredths of seconds"
    )
    run.hears(NUMBER.replace("%5.2f", "%010.6m"), "zeros in front")
    run.hears(NUMBER.replace("%5.2f", "foo"), "no format")


def commands(run: Run) -> None:
    """Commands of all kinds, and what of them goes out."""
    run.connects(EVERYTHING)
    run.does("client.send_newVector('D', 'T', members={'t': 'top'})", title="a text")
    run.does("client['D']['T'].send_newTextVector(members={'t': 'a', 'u': 'b'})", title="texts")
    run.does("client.send_newVector('D', 'N', None, {'x': 2.5})", title="a number of two")
    run.does("client['D']['N'].send_newNumberVector(members={'x': '3.25', 'y': 45})", title="numbers")
    run.does("client.send_newVector('D', 'S', None, {'b': 'On', 'a': 'Off'})", title="switches")
    run.does("client['D']['S'].send_newSwitchVector(members={'b': 'On'})", title="a switch")
    stamps = {
        "UTC": "datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)",
        "naive": "datetime(2024, 5, 6, 7, 8, 9, 5)",
    }
    for name, stamp in stamps.items():
        run.does(f"client.send_newVector('D', 'T', {stamp}, {{'t': 'x'}})", title=f"a time, {name}")
    run.does("client.send_newVector('D', 'U', None, {'u': (b'abc', 0, '.txt')})", title="a BLOB")
    run.does(
        "client['D']['U'].send_newBLOBVector(members={'u': (b'abc', 17, '')})", title="a BLOB with a size"
    )
    run.does("client['D']['U'].send_newBLOBVector(members={'u': (Path(__file__), 0, '')})", title="a file")
    run.does(
        "client['D']['U'].send_newBLOBVector(members={'u': (open(__file__, 'rb'), 0, '.py')})",
        title="an open file",
    )
    run.does("client.send_getProperties()", title="definitions of everything")
    run.does(
        "client.send_getProperties('D')", "client.send_getProperties('D', 'N')", title="definitions of some"
    )
    run.does("client.send_getProperties(None, 'N')", title="definitions of a vector without a device")
    run.does("client.send(ET.fromstring('<foo a=\"1\">text</foo>'))", title="any element")


def commands_that_make_no_sense(run: Run) -> None:
    run.connects(EVERYTHING + TEXT.replace('name="T"', 'name="R"').replace('"rw"', '"ro"'))
    run.does("client.send_newVector('X', 'T', None, {'t': 'x'})", title="an unknown device")
    run.does("client.send_newVector('D', 'X', None, {'t': 'x'})", title="an unknown vector")
    run.does("client.send_newVector('D', 'L', None, {'l': 'Ok'})", title="a light")
    run.does("client.send_newVector('D', 'T', None, {'zz': 'x'})", title="an unknown text")
    run.does("client.send_newVector('D', 'S', None, {'zz': 'On'})", title="an unknown switch")
    run.does("client.send_newVector('D', 'S', None, {'a': True})", title="True for a switch")
    run.does("client.send_newVector('D', 'S', None, {'a': 'perhaps'})", title="a switch that is none")
    run.does("client.send_newVector('D', 'S', None, {'a': 'On', 'b': 'On'})", title="two switches On")
    run.does("client.send_newVector('D', 'S', None, {})", title="nothing")
    run.does("client.send_newVector('D', 'N', None, {'x': 'garbage'})", title="a number that is none")
    run.does("client.send_newVector('D', 'N', None, {'x': '1:30:00'})", title="a sexagesimal number")
    run.does("client.send_newVector('D', 'R', None, {'t': 'x'})", title="a vector that is read-only")
    run.does("client.send_newVector('D', 'T', None, {'t': '20 °C'})", title="a text beyond ASCII")
    run.does("client.send_newVector('D', 'T', 'noon', {'t': 'x'})", title="a time that is none")
    stamp = "datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1)))"
    run.does(f"client.send_newVector('D', 'T', {stamp}, {{'t': 'x'}})", title="a time with a zone")
    run.does("client.send_newVector('D', 'T', None, 5)", title="no mapping")
    run.does("client.send_newVector('D', 'U', None, {'u': (b'', 0, '')})", title="an empty BLOB")
    run.does("client.send_newVector('D', 'U', None, {'u': ('/no/such/file', 0, '')})", title="no such file")
    run.does("client.send_newVector('D', 'U', None, {'u': b'abcd'})", title="a BLOB without size and format")
    run.does("client['D']['T'].__setitem__('t', 'x')", "client['D'].__setitem__('T', 1)", title="assigning")


def enabling_blobs(run: Run) -> None:
    run.connects(EVERYTHING)
    run.does("client.send_enableBLOB('Also', 'D', 'B')", title="a vector")
    run.does("client.send_enableBLOB('Perhaps', 'D', 'B')", title="no such mode")
    run.does("client.resend_enableBLOB('D', 'B')", title="again")
    run.hears(BLOB, "the vector is defined again")
    run.hears(f'<delProperty device="D" name="B" {AT}/>' + BLOB, "the vector is deleted and defined")
    run.does("setattr(client, 'enableBLOBdefault', 'Only')", "client.enableBLOBdefault", title="a default")
    run.hears(BLOB.replace('"B"', '"B2"'), "a new vector")
    run.does(
        "setattr(client, 'enableBLOBdefault', 'Perhaps')", "client.enableBLOBdefault", title="no default"
    )
    run.does("setattr(client, 'resend_enableBLOB_on_def', False)", title="no answers to definitions")
    run.hears(BLOB.replace('"B"', '"B3"'), "one more new vector")
    run.does("setattr(client, 'resend_enableBLOB_on_def', True)", title="answers again")
    run.does("setattr(client, 'enableBLOBdefault', 'Never')", title="the first default")
    run.does("client.send_enableBLOB('Also', 'D')", title="a device")
    run.does("client.resend_enableBLOB('D')", title="again")
    run.does("client.send_enableBLOB('Also', 'X')", title="an unknown device")
    run.does("client.send_enableBLOB('Only', 'D')", title="only BLOBs")
    run.does("client.send_enableBLOB('Never', 'D')", title="no BLOBs")


def blobs(run: Run) -> None:
    run.connects(EVERYTHING)
    run.hears(blob('size="3" format=".txt"', "YWJj"), "a BLOB")
    run.hears(
        blob('size="6" format=".fits"', "\nYWJj\nZGVm\n", 'state="Busy" timeout="0"'), "a BLOB in lines"
    )
    run.does("client['D']['B']['b']", "client['D']['B'].member('b').blobsize", title="looking")
    run.does("client['D']['B'].member('b').blobformat", "client['D']['B'].member('b').filename", title="more")
    run.does("client.snapshot()['D']['B'].dictdump(True)['members']['b']['value']", title="a dump with BLOBs")
    run.does("setattr(client, 'BLOBfolder', '/no/such/folder')", title="no such folder")
    run.does("setattr(client, 'BLOBfolder', 5)", title="no folder at all")


def odd_blobs(run: Run) -> None:
    run.connects(EVERYTHING)
    run.hears(blob('size="3" format=".txt.z"', "eJxLTEoGAAJNASc="), "a compressed BLOB")
    run.hears(blob('size="0" format=".txt"', ""), "an empty BLOB")
    run.hears(blob('size="3" format=""', "YWJj"), "no format")
    run.hears(blob('size="3" format=".txt"', "YW*Jj"), "characters that are no base64")
    run.hears(blob('size="many" format=".txt"', "YWJj"), "a size that is none")
    run.hears(blob('size="3" format=".txt"', "YWJj").replace('name="b"', 'name="zz"'), "an unknown member")
    run.does("client.snapshot().dumps(inc_blob=True)[:1]", title="a JSON dump with BLOBs")


def blob_folder(run: Run) -> None:
    """BLOBs are written into a folder, under the same names."""
    run.connects(EVERYTHING)
    folder = "__import__('tempfile').TemporaryDirectory()"
    run.does(
        f"globals().update(folder={folder})",
        "setattr(client, 'BLOBfolder', folder.name)",
        title="a folder",
        then="U",
    )
    run.hears(blob('size="3" format=".txt"', "YWJj"), "a BLOB")
    run.hears(blob('size="3" format=".txt"', "YWJj"), "another BLOB")
    run.hears(BLOB.replace('"B"', '"B2"'), "a new vector")
    run.does("sorted(path.name for path in Path(folder.name).iterdir())", title="looking")
    run.does("client['D']['B'].member('b').filename", "client.BLOBfolder == Path(folder.name)", title="more")
    run.does("setattr(client, 'BLOBfolder', None)", title="no folder", then="B2")
    run.does("folder.cleanup()", "client.BLOBfolder", title="clearing up")


def user_strings(run: Run) -> None:
    """Texts of the program's own, set before, while and after what they belong to is there."""
    run.connects(TEXT)
    run.does("client.set_user_string('D', 'S', 'a', 'for later')", title="before")
    run.does("client.get_user_string('D', 'S', 'a')", "client.get_user_string('D', 'S', 'b')", title="asking")
    run.hears(SWITCH, "its vector comes")
    run.does("client.set_user_string('D', None, None, 'dev')", title="a device")
    run.does("client.set_user_string('D', 'T', '', 'vec')", title="a vector")
    run.does("client.set_user_string('D', 'T', 't', 'mem')", title="a member")
    run.does("client.set_user_string('X', 'T', 't', 'other')", title="an unknown device")
    run.hears(TEXT, "its definition comes again")
    run.does(
        "client.get_user_string('D', None, None)",
        "client.get_user_string('D', 'T', None)",
        title="asking again",
    )
    run.does(
        "client.get_user_string('X', 'T', 't')",
        "client.get_user_string('X', None, None)",
        title="of the unknown",
    )
    run.does(
        "client.set_user_string(None, 'T', 't', 'x')",
        "client.set_user_string('D', None, 't', 'x')",
        title="wrong",
    )
    run.does(
        "setattr(client, 'user_string', 'all')",
        "setattr(client['D']['T'], 'user_string', 'live')",
        title="live",
    )
    run.does("client['D']['T'].snapshot().user_string", "client.snapshot().user_string", title="in snapshots")
    run.does("sorted(client.user_string_dict.items(), key=str)", title="all that there are")


def item_ids(run: Run) -> None:
    """Numbers of everything that is new, by the program's own rule or by counting."""
    run.connects(TEXT)
    run.does("[client['D'].itemid, client['D']['T'].itemid]", title="counted")
    rule = "lambda devicename='', vectorname='', membername='': f'{devicename}/{vectorname}/{membername}'"
    run.does(f"setattr(client, 'create_itemid', {rule})", title="a rule")
    run.hears(NUMBER.replace('"D"', '"E"') + SWITCH, "by the rule")
    run.does("client.snapshot().dictdump(inc_itemid=True) and 'a dict'", title="a dump of all with numbers")


def live_objects(run: Run) -> None:
    """What programs assign to live objects shows, there and in snapshots."""
    run.connects(EVERYTHING)
    run.does("setattr(client['D']['T'], 'state', 'Busy')", "client['D']['T'].state", title="a state")
    run.does("setattr(client['D']['T'], 'state', 'Odd')", title="a state that is none")
    run.does(
        "setattr(client['D']['T'], 'timestamp', datetime(2024, 7, 7, tzinfo=timezone.utc))", title="a time"
    )
    run.does(
        "setattr(client['D']['T'].member('t'), 'membervalue', 'mine')",
        "client['D']['T']['t']",
        title="a text",
    )
    run.does("setattr(client['D']['S'].member('a'), 'membervalue', 'Maybe')", title="a switch that is none")
    run.does(
        "setattr(client['D']['S'].member('a'), 'membervalue', 'Off')",
        "client['D']['S']['a']",
        title="a switch",
    )
    run.does("setattr(client['D']['N'].member('x'), 'membervalue', 'odd')", title="a number that is none")
    run.does(
        "setattr(client['D']['N'].member('x'), 'membervalue', 7)", "client['D']['N']['x']", title="a number"
    )
    run.does(
        "setattr(client['D']['L'].member('l'), 'membervalue', 'Busy')",
        "client['D']['L']['l']",
        title="a light",
    )
    run.does(
        "client['D'].messages.appendleft((datetime(2024, 7, 7, tzinfo=timezone.utc), 'mine'))",
        title="a message",
    )
    run.does("client['D'].messages.pop()[1]", "len(client['D'].messages)", title="taking it away")
    run.does("client['D']['T'].memberlabel('t')", "client['D']['T'].member('t').name", title="a member")
    run.does("client['D']['T'].member('zz')", "client['D']['T'].memberlabel('zz')", title="an unknown member")
    run.does("client.get_vector_state('D', 'T')", "client.get_vector_state('D', 'X')", title="states")
    run.does("client['D']['T'].create_clientevent('Mine', a=1)", title="an event of its own")
    run.does("client['D']['T'].create_clientevent(b=2)", title="another")
    run.does("client['D'].disable()", "client['D'].enable", title="disabling")
    run.does("client['D']['B'].set_blobsize('b', 5)", "client['D']['B'].member('b').blobsize", title="a size")
    run.does(
        "client['D']['B'].set_blobformat('b', '.y')",
        "client['D']['B'].member('b').blobformat",
        title="a format",
    )


def elements_from_members(run: Run) -> None:
    run.connects(EVERYTHING)
    for name, call in {
        "T": "member('t').onetext('a')",
        "N": "member('x').onenumber('2')",
        "S": "member('a').oneswitch('On')",
        "U": "member('u').oneblob(b'abc', 0, '.x')",
    }.items():
        run.does(f"attributes(text_of(ET.tostring(client['D']['{name}'].{call})))", title=call)
    run.does("client['D']['U'].member('u').getbytes(b'abc')", title="bytes")
    run.does("client['D']['U'].member('u').getbytes(b'')", title="no bytes")


def time_out(run: Run) -> None:
    """A command that is not answered makes an event, once."""
    run.connects(EVERYTHING)
    run.does(
        "setattr(client, 'vector_timeout_min', 0.1)",
        "setattr(client, 'vector_timeout_max', 0.1)",
        title="times",
    )
    run.does("client.send_newVector('D', 'T', None, {'t': 'x'})", title="a command")
    run.sees("nothing comes", event("VectorTimeOut"))
    run.hears(update("Text", "T", f'state="Ok" timeout="5" {AT}', t="x"), "the answer, too late")


def reset(run: Run) -> None:
    """The server crashes and comes back: a new connection, with everything new."""
    run.connects(EVERYTHING)
    run.peer.reset()
    run.sees("the connection is lost", event("ConnectionLost"))
    run.connects(TEXT + BLOB, "the connection is back")
    run.does("[*client]", "[*client['D']]", title="looking")


def refusal(run: Run) -> None:
    """No server is there at first."""
    run.server.refuse()
    run.sees("refused", text("refused"))
    run.sees("what comes then", text("re-trying"))


def ill_formed(run: Run) -> None:
    """One element that is no XML."""
    run.connects(TEXT)
    run.peer.send('<message device="D" message="rock & roll"/>')
    run.sees("the element", lambda record: event("ConnectionLost")(record) or text("roll")(record))


def wrong_type(run: Run) -> None:
    """A number where a text should be."""
    run.connects(TEXT)
    command = "client.send_newVector('D', 'T', None, {'t': 5})"
    run.sees("a command", lambda record: event("ConnectionLost")(record) or text("not sent")(record), command)


def shutdown(run: Run) -> None:
    run.connects(TEXT)
    run.sees("the end", lambda record: record["kind"] == "ended", "client.shutdown()")


# -- a QueClient --------------------------------------------------------------------------------


def bridge(run: Run) -> None:
    """A day with two queues."""
    run.connects(EVERYTHING)
    run.does("put((None, None, 'snapshot'))", title="a snapshot of all")
    run.does("put(('', None, 'snapshot'))", title="a snapshot of all, asked for with an empty name")
    run.does("put(('D', None, 'snapshot'))", title="a snapshot of a device")
    run.does("put(('D', 'T', 'snapshot'))", title="a snapshot of a vector")
    run.does("put(['D', 'N', 'snapshot'])", title="a list")
    run.does("put(('D', 'T', {'t': 'x'}))", title="texts")
    run.does("put(('D', 'N', {'x': 2.5, 'y': '3'}))", title="numbers")
    run.does("put(('D', 'S', {'b': 'On', 'a': 'Off'}))", title="switches")
    run.does("put(('D', 'U', {'u': (b'abc', 0, '.txt')}))", title="a BLOB")
    run.hears(update("Switch", "S", f'state="Ok" timeout="5" {AT}', a="Off", b="On"), "an update")
    run.hears(update("Number", "N", f'state="Alert" timeout="60" message="no" {AT}'), "a refusal")
    run.does(
        "put((None, None, 'Get'))", "put(('D', None, 'Get'))", "put(('D', 'T', 'Get'))", title="definitions"
    )
    run.does("put(('D', 'B', 'Also'))", "put(('D', 'B', 'Never'))", title="BLOBs")
    run.hears(blob('size="3" format=".txt"', "YWJj"), "a BLOB comes")
    run.hears(f'<message device="D" {AT} message="hello"/><message {AT} message="to all"/>', "messages")
    run.hears('<getProperties version="1.7" device="D" name="N"/>', "a snooping driver")
    run.hears(f'<delProperty device="D" name="S" {AT} message="bye"/>', "a vector goes")
    run.hears(f'<delProperty device="D" {AT}/>', "the device goes")
    run.sees("the end", lambda record: record["kind"] == "ended", "put(None)")


def bridge_loss(run: Run) -> None:
    """What the items around a loss of the connection say."""
    run.connects(TEXT)
    run.server.refuse()
    run.peer.reset()
    run.sees("the loss", lambda record: record.get("eventtype") == "ConnectionLost")
    run.sees("what comes then", lambda record: record.get("eventtype") == "Message")
    run.sees("the end", lambda record: record["kind"] == "ended", "put(None)")


def bridge_oddities(run: Run) -> None:
    """Items that 0.9.4 ignores, or answers although it has done nothing."""
    run.connects(EVERYTHING)
    run.does("put(('X', 'T', {'t': 'x'}))", title="an unknown device")
    run.does("put(('D', 'X', {'t': 'x'}))", title="an unknown vector")
    run.does("put(('D', 'L', {'l': 'Ok'}))", title="a light")
    run.does("put(('D', 'T', 'Perhaps'))", title="no such request")
    run.does("put(('D', 'T'))", title="two parts")
    run.does("put('snapshot')", title="a text")


def fatal_item(item: str) -> Callable[[Run], None]:
    """A session with an item that ended the client of 0.9.4."""

    def session(run: Run) -> None:
        run.connects(EVERYTHING)
        run.sees("the item", answers, f"put({item})")

    return session


def answers(record: Record) -> bool:
    return record["kind"] == "ended" or "not carried out" in str(record.get("message"))


FATAL_ITEMS = {
    "a snapshot of an unknown device": "('X', None, 'snapshot')",
    "a snapshot of an unknown vector": "('D', 'X', 'snapshot')",
    "a number": "5",
    "no such file": "('D', 'U', {'u': ('/no/such/file', 0, '.x')})",
    "a BLOB in two parts": "('D', 'U', {'u': (b'abcd', 0)})",
    "an empty BLOB": "('D', 'U', {'u': (b'', 0, '.x')})",
    "a list for a name": "(['D'], 'S', {'a': 'On'})",
}

CLIENT_SESSIONS: list[Callable[[Run], None]] = [
    beginning,
    updates,
    messages,
    timestamps,
    deletions,
    redefinitions,
    faults,
    bad_members,
    odd_definitions,
    numbers,
    commands,
    commands_that_make_no_sense,
    enabling_blobs,
    blobs,
    odd_blobs,
    blob_folder,
    user_strings,
    item_ids,
    live_objects,
    elements_from_members,
    time_out,
    reset,
    refusal,
    ill_formed,
    wrong_type,
    shutdown,
]
BRIDGE_SESSIONS: list[tuple[Callable[[Run], None], str]] = [
    (bridge, "queue.Queue"),
    (bridge, "deque"),
    (bridge, "asyncio.Queue"),
    (bridge_loss, "deque"),
    (bridge_oddities, "queue.Queue"),
]

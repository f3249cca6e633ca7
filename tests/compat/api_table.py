"""The public interface of 0.9.4, frozen: what programs may rely on.

Constructors are here as far as programs call them. Those of events, vectors, members and the nodes of
snapshots are not: only the client makes these.
"""

from __future__ import annotations

# -- what can be imported, by module --------------------------------------------------------------

ALL = """
    version IPyClient ClientEvent getfloat ConnectionMade ConnectionLost delProperty
    defSwitchVector defTextVector defNumberVector defLightVector defBLOBVector
    setSwitchVector setTextVector setNumberVector setLightVector setBLOBVector
    Message VectorTimeOut
"""

NAMES = {
    "indipyclient": ALL,
    "indipyclient.queclient": "QueClient runqueclient EventItem",
    "indipyclient.ipyclient": """
        IPyClient Snap SnapDevice Device _ParentDevice DEFTAGS logger ParseException events
    """,
    "indipyclient.events": """
        Event defVector setVector getProperties delProperty Message VectorTimeOut
        ConnectionMade ConnectionLost
        defSwitchVector defTextVector defNumberVector defLightVector defBLOBVector
        setSwitchVector setTextVector setNumberVector setLightVector setBLOBVector _parse_timestamp
    """,
    "indipyclient.propertyvectors": """
        Vector PropertyVector SwitchVector LightVector TextVector NumberVector BLOBVector
        SnapVector SnapNumberVector ClientEvent
    """,
    "indipyclient.propertymembers": """
        Member SwitchMember LightMember TextMember NumberMember BLOBMember
        ParentNumberMember ParentBLOBMember SnapMember SnapNumberMember SnapBLOBMember
        getfloat ParseException
    """,
}

# -- classes: a program may ask isinstance of any of these parents ---------------------------------

PARENTS = {
    "IPyClient": "UserDict",
    "QueClient": "IPyClient UserDict",
    "EventItem": "tuple",
    "ParseException": "Exception",
    "_ParentDevice": "UserDict",
    "Device": "_ParentDevice UserDict",
    "Vector": "UserDict",
    "PropertyVector": "Vector UserDict",
    "SwitchVector": "PropertyVector Vector UserDict",
    "LightVector": "PropertyVector Vector UserDict",
    "TextVector": "PropertyVector Vector UserDict",
    "NumberVector": "PropertyVector Vector UserDict",
    "BLOBVector": "PropertyVector Vector UserDict",
    "SwitchMember": "Member",
    "LightMember": "Member",
    "TextMember": "Member",
    "NumberMember": "ParentNumberMember Member",
    "BLOBMember": "ParentBLOBMember Member",
    "Snap": "UserDict Mapping",
    "SnapDevice": "_ParentDevice UserDict Mapping",
    "SnapVector": "Vector UserDict Mapping",
    "SnapNumberVector": "SnapVector Vector UserDict Mapping",
    "SnapMember": "Member",
    "SnapNumberMember": "ParentNumberMember Member",
    "SnapBLOBMember": "ParentBLOBMember Member",
    "ClientEvent": "UserDict",
    "Message": "Event",
    "getProperties": "Event",
    "delProperty": "Event",
    "defVector": "Event UserDict",
    "defSwitchVector": "defVector Event UserDict",
    "defTextVector": "defVector Event UserDict",
    "defNumberVector": "defVector Event UserDict",
    "defLightVector": "defVector Event UserDict",
    "defBLOBVector": "defVector Event UserDict",
    "setVector": "Event UserDict",
    "setSwitchVector": "setVector Event UserDict",
    "setTextVector": "setVector Event UserDict",
    "setNumberVector": "setVector Event UserDict",
    "setLightVector": "setVector Event UserDict",
    "setBLOBVector": "setVector Event UserDict",
}

# -- signatures: a line each ------------------------------------------------------------------------

FUNCTIONS = """
    getfloat(value)
    runqueclient(txque, rxque, indihost='localhost', indiport=7624, blobfolder=None)
    _parse_timestamp(timestamp_string)
"""

_DUMPS = """
    dictdump(inc_blob=False, inc_user_string=False, inc_itemid=False)
    dumps(indent=None, separators=None, inc_blob=False, inc_user_string=False, inc_itemid=False)
    dump(fp, indent=None, separators=None, inc_blob=False, inc_user_string=False, inc_itemid=False)
"""
_CLIENT = """
    async asyncrun()
    async hardware()
    async rxevent(event)
    shutdown()
    async report(message)
    async warning(message)
    enabledlen()
    snapshot()
    async send_newVector(devicename, vectorname, timestamp=None, members={})
    async send_getProperties(devicename=None, vectorname=None)
    async send_enableBLOB(value, devicename, vectorname=None)
    async resend_enableBLOB(devicename, vectorname=None)
    async send(xmldata)
    set_vector_timeouts(timeout_enable=None, timeout_min=None, timeout_max=None)
    debug_verbosity(verbose)
    get_vector_state(devicename, vectorname)
    set_user_string(devicename, vectorname, membername, user_string='')
    get_user_string(devicename, vectorname, membername)
    create_itemid(devicename='', vectorname='', membername='', **kwargs)
"""
_MEMBERS = """
    members()
    member(membername)
    memberlabel(membername)
"""
_VECTOR = f"""{_MEMBERS}
    snapshot()
    async create_clientevent(eventtype='ClientEvent', **payload)
    checktimedout(nowtime)
    checkvalue(value, allowed)
"""
_NUMBERS = """
    getfloatvalue(membername)
    getformattedvalue(membername)
"""
_NUMBER = """
    getfloat(value)
    getfloatvalue()
    getformattedvalue()
    getformattedstring(value)
"""

METHODS = {
    "IPyClient": f"__init__(indihost='localhost', indiport=7624, **clientdata) {_CLIENT}",
    "QueClient": f"""
        __init__(txque, rxque, indihost='localhost', indiport=7624, blobfolder=None) {_CLIENT}
    """,
    "Snap": f"""
        __init__(indihost, indiport, connected, messages, user_string)
        enabledlen()
        get_vector_state(devicename, vectorname) {_DUMPS}
    """,
    "SnapDevice": f"disable() {_DUMPS}",
    "Device": """
        __init__(devicename, client)
        disable()
        snapshot()
        rxvector(root)
    """,
    "SwitchVector": f"{_VECTOR} async send_newSwitchVector(timestamp=None, members={{}})",
    "TextVector": f"{_VECTOR} async send_newTextVector(timestamp=None, members={{}})",
    "NumberVector": f"{_VECTOR} {_NUMBERS} async send_newNumberVector(timestamp=None, members={{}})",
    "LightVector": _VECTOR,
    "BLOBVector": f"""{_VECTOR}
        async send_newBLOBVector(timestamp=None, members={{}})
        set_blobsize(membername, blobsize)
        set_blobformat(membername, blobformat)
    """,
    "SnapVector": f"{_MEMBERS} {_DUMPS}",
    "SnapNumberVector": f"{_MEMBERS} {_DUMPS} {_NUMBERS}",
    "SwitchMember": "oneswitch(newvalue)\ncheckvalue(value, allowed)",
    "LightMember": "checkvalue(value, allowed)",
    "TextMember": "onetext(newvalue)",
    "NumberMember": f"onenumber(newvalue) {_NUMBER}",
    "BLOBMember": """
        oneblob(newvalue, newsize, newformat)
        static getbytes(value)
    """,
    "SnapMember": "dictdump(inc_blob=False, inc_user_string=False, inc_itemid=False)",
    "SnapNumberMember": f"dictdump(inc_blob=False, inc_user_string=False, inc_itemid=False) {_NUMBER}",
    "SnapBLOBMember": "dictdump(inc_blob=False, inc_user_string=False, inc_itemid=False)",
    "ClientEvent": "__init__(eventtype, device, vector, **payload)",
}

# -- what instances have, besides methods; those of vectors and members by class and name ----------

_ADDRESS = "name label user_string itemid"
_OF_VECTOR = f"""
    {_ADDRESS} devicename vectortype group state timestamp message message_timestamp perm rule timeout enable
"""
_OF_EVENT = "eventtype device devicename vector vectorname timestamp root"
_OF_DEFINITION = f"{_OF_EVENT} label group state message memberlabels"
_OF_LIMITS = "format min max step"

ATTRIBUTES = {
    "IPyClient": """
        indihost indiport clientdata connected stop stopped messages user_string user_string_dict
        enable_reports resend_enableBLOB_on_def enableBLOBdefault BLOBfolder timeout_enable
        vector_timeout_min vector_timeout_max idle_timeout respond_timeout idle_timer tx_timer
    """,
    "Device": "devicename enable messages user_string itemid",
    "SwitchVector S": f"{_OF_VECTOR} device",
    "LightVector L": f"{_OF_VECTOR} device",
    "TextVector T": f"{_OF_VECTOR} device",
    "NumberVector N": f"{_OF_VECTOR} device",
    "BLOBVector B": f"{_OF_VECTOR} device",
    "SwitchMember s": f"{_ADDRESS} membervalue",
    "LightMember l": f"{_ADDRESS} membervalue",
    "TextMember t": f"{_ADDRESS} membervalue",
    "NumberMember n": f"{_ADDRESS} membervalue {_OF_LIMITS}",
    "BLOBMember b": f"{_ADDRESS} membervalue blobsize blobformat filename",
    "Snap": "indihost indiport connected messages user_string",
    "SnapDevice": "devicename enable messages user_string itemid",
    "SnapVector S": _OF_VECTOR,
    "SnapVector L": _OF_VECTOR,
    "SnapVector T": _OF_VECTOR,
    "SnapNumberVector N": _OF_VECTOR,
    "SnapVector B": _OF_VECTOR,
    "SnapMember s": f"{_ADDRESS} membervalue",
    "SnapMember l": f"{_ADDRESS} membervalue",
    "SnapMember t": f"{_ADDRESS} membervalue",
    "SnapNumberMember n": f"{_ADDRESS} membervalue {_OF_LIMITS}",
    "SnapBLOBMember b": f"{_ADDRESS} membervalue blobsize blobformat filename",
}

# Programs tell events apart by what they do not have, so these are complete.
EVENTS = {
    "ConnectionMade": _OF_EVENT,
    "ConnectionLost": _OF_EVENT,
    "VectorTimeOut": _OF_EVENT,
    "getProperties": _OF_EVENT,
    "Message": f"{_OF_EVENT} message",
    "delProperty": f"{_OF_EVENT} message",
    "ClientEvent": f"{_OF_EVENT} payload",
    "defSwitchVector": f"{_OF_DEFINITION} perm rule timeout",
    "defTextVector": f"{_OF_DEFINITION} perm timeout",
    "defNumberVector": f"{_OF_DEFINITION} perm timeout",
    "defLightVector": _OF_DEFINITION,
    "defBLOBVector": f"{_OF_DEFINITION} perm timeout",
    "setSwitchVector": f"{_OF_EVENT} state message timeout",
    "setTextVector": f"{_OF_EVENT} state message timeout",
    "setNumberVector": f"{_OF_EVENT} state message timeout",
    "setLightVector": f"{_OF_EVENT} state message timeout",
    "setBLOBVector": f"{_OF_EVENT} state message timeout sizeformat",
}

# What a client made with IPyClient("127.0.0.1", port, mine=1) has before it runs.
AT_FIRST = {
    "indihost": "127.0.0.1",
    "clientdata": {"mine": 1},
    "connected": False,
    "stop": False,
    "user_string": "",
    "user_string_dict": {},
    "enable_reports": True,
    "resend_enableBLOB_on_def": True,
    "enableBLOBdefault": "Never",
    "BLOBfolder": None,
    "timeout_enable": True,
    "vector_timeout_min": 2,
    "vector_timeout_max": 10,
    "idle_timeout": 20,
    "respond_timeout": 40,
}

# Names that are new. Subclasses have names of their own, so there should be few, and none by accident.
NEW = {
    "IPyClient": """
        command timing limits separate_blobs newest_frames_only frames_skipped ssl_context
        tell messages_received knows_something
    """,
    "Device": "",
}

# -- what is meant to be different, with the row of docs/coming-from-0.9.md that says so ------------

_INTERNALS = "methods and attributes for the parser and the timers of 0.9"
_SNAPSHOTS = "snapshots"
_CLASSES = "classes of the nodes of snapshots"

DIFFERENT = {
    "IPyClient has no idle_timer": _INTERNALS,
    "IPyClient has no tx_timer": _INTERNALS,
    "Device has no rxvector": _INTERNALS,
    "SwitchVector has no checktimedout": _INTERNALS,
    "SwitchVector has no checkvalue": _INTERNALS,
    "LightVector has no checktimedout": _INTERNALS,
    "LightVector has no checkvalue": _INTERNALS,
    "TextVector has no checktimedout": _INTERNALS,
    "TextVector has no checkvalue": _INTERNALS,
    "NumberVector has no checktimedout": _INTERNALS,
    "NumberVector has no checkvalue": _INTERNALS,
    "BLOBVector has no checktimedout": _INTERNALS,
    "BLOBVector has no checkvalue": _INTERNALS,
    "SwitchMember has no checkvalue": _INTERNALS,
    "LightMember has no checkvalue": _INTERNALS,
    "SnapDevice has no disable": _SNAPSHOTS,
    "Snap is no UserDict": _SNAPSHOTS,
    "SnapDevice is no UserDict": _SNAPSHOTS,
    "SnapVector is no UserDict": _SNAPSHOTS,
    "SnapNumberVector is no UserDict": _SNAPSHOTS,
    "SnapDevice is no _ParentDevice": _CLASSES,
    "SnapVector is no Vector": _CLASSES,
    "SnapNumberVector is no Vector": _CLASSES,
    "SnapMember is no Member": _CLASSES,
    "SnapNumberMember is no Member": _CLASSES,
    "SnapNumberMember is no ParentNumberMember": _CLASSES,
    "SnapBLOBMember is no Member": _CLASSES,
    "SnapBLOBMember is no ParentBLOBMember": _CLASSES,
    "vector_timeout_max is 3600": "VectorTimeOut",
}

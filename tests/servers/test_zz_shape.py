import sys; sys.path.insert(0,"/tmp")
from shape import *
def test_s(api):
    diff(body("response_server_schema"), api.get("/api/2.0/servers/schema/").json())
    print("----drives")
    diff(body("response_drive_schema"), api.get("/api/2.0/drives/schema/").json())
    print("----caps")
    diff(body("response_capabilities"), api.get("/api/2.0/capabilities/").json())
    assert 0

"""Run the shadow: score purchases by a candidate policy or model beside the live one."""

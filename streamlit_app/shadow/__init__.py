"""Shadow page: a candidate policy or model beside the live one."""

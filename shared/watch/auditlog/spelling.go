package auditlog

import "encoding/json"

// Exports do not keep Google's spelling everywhere: some write names in small letters, BigQuery has names and types of
// its own. The true spelling wins wherever it stands in the entry.

// respelled reads a key of the entry in another spelling; what is none is skipped.
func (f *fields) respelled(c *cursor, key string) {
	switch key {
	case "logname":
		f.spare.logName = c.text("logName")
	case "insertid":
		f.spare.insertID = c.text("insertId")
	case "receivetimestamp":
		f.spare.received = c.text("receiveTimestamp")
	case "protopayload", "protopayload_auditlog":
		f.spare.payload = c.raw()
	default:
		c.skip()
	}
}

// settle puts what was read in another spelling where nothing was in the true one, and notes what was cut out.
func (f *fields) settle(c *cursor) {
	f.logName = first(f.logName, f.spare.logName)
	f.insertID = first(f.insertID, f.spare.insertID)
	f.received = first(f.received, f.spare.received)
	if !f.proto && f.spare.payload != nil && c.err == nil {
		inner := &cursor{data: f.spare.payload}
		f.proto, f.payload = true, f.auditLog(inner)
		c.cut = append(c.cut, inner.cut...)
		c.err = inner.err
	}
	f.e.Gaps = append(f.e.Gaps, c.cut...)
}

// exported reads a key of the payload as BigQuery holds it: sub-trees as JSON within a string, service data by type.
func (f *fields) exported(c *cursor, key string) {
	switch e := &f.e; key {
	case "requestJson":
		e.Request = within(c, e.Request)
	case "responseJson":
		e.Response = within(c, e.Response)
	case "metadataJson":
		e.Metadata = within(c, e.Metadata)
	case "servicedata_v1_iam", "servicedata_v1_iam_admin", "servicedata_v1_bigquery":
		if value := c.raw(); value != nil && e.ServiceData == nil {
			e.ServiceData = value
		}
	default:
		c.skip()
	}
}

// within returns the JSON inside the string that is next, or what is there already.
func within(c *cursor, there json.RawMessage) json.RawMessage {
	if c.peek() != '"' {
		c.skip()
		return there
	}
	inner := newCursor([]byte(c.text("")))
	value := inner.raw()
	if inner.end(); inner.err != nil || value == nil || there != nil {
		return there
	}
	return value
}

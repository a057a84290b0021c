package auditlog

import "encoding/json"

// fields is a LogEntry as it was written, before anything is made of it: its keys come in any order.
type fields struct {
	e Entry // what needs no second look

	logName, insertID, timestamp, received string
	typeURL                                string
	resourceType                           string
	labels, resourceLabels                 map[string]string
	payload                                json.RawMessage
	proto, json, text                      bool

	principal  principal
	delegates  []principal
	status     bool // a status with anything in it
	located    string
	thirdParty json.RawMessage
	refused    int // permissions that are said not to be granted; proto-JSON leaves a false out

	spare struct { // the same, as some exports spell it
		logName, insertID, received string
		payload                     json.RawMessage
	}
}

// principal is one identity as logged, of the call or of its delegation.
type principal struct{ email, subject string }

// isEntry tells an entry from its envelope.
func (f *fields) isEntry() bool { return f.proto || f.json || f.text || f.logName != "" }

// top reads one key of a LogEntry; others are skipped, whatever they are.
func (f *fields) top(c *cursor, key string) {
	switch key {
	case "insertId":
		f.insertID = c.text(key)
	case "logName":
		f.logName = c.text(key)
	case "timestamp":
		f.timestamp = c.text(key)
	case "receiveTimestamp":
		f.received = c.text(key)
	case "severity":
		f.e.Severity = severity(c.scalar(key))
	case "protoPayload":
		f.proto, f.payload = true, f.auditLog(c)
	case "jsonPayload":
		f.payload = c.raw()
		f.json = f.payload != nil
	case "textPayload":
		f.payload = c.raw()
		f.text = f.payload != nil
	case "resource":
		f.resource(c)
	case "labels":
		f.labels = labels(c, key)
	case "operation":
		f.operation(c)
	case "split":
		f.split(c)
	default:
		f.respelled(c, key)
	}
}

func (f *fields) resource(c *cursor) {
	c.object("resource", func(key string) {
		switch key {
		case "type":
			f.resourceType = c.text("resource.type")
		case "labels":
			f.resourceLabels = labels(c, "resource.labels")
		default:
			c.skip()
		}
	})
}

func (f *fields) operation(c *cursor) {
	c.object("operation", func(key string) {
		switch o := &f.e.Operation; key {
		case "id":
			o.ID = c.text("operation.id")
		case "producer":
			o.Producer = c.text("operation.producer")
		case "first":
			o.First = c.truth("operation.first")
		case "last":
			o.Last = c.truth("operation.last")
		default:
			c.skip()
		}
	})
}

func (f *fields) split(c *cursor) {
	c.object("split", func(key string) {
		switch s := &f.e.Split; key {
		case "uid":
			s.UID = c.text("split.uid")
		case "index":
			s.Index = c.number("split.index")
		case "totalSplits":
			s.Total = c.number("split.totalSplits")
		default:
			c.skip()
		}
	})
}

// labels reads a map of strings; a number or a boolean is taken as it is written.
func labels(c *cursor, name string) map[string]string {
	var all map[string]string
	c.object(name, func(key string) {
		if all == nil {
			all = map[string]string{}
		}
		all[key] = c.scalar(name)
	})
	return all
}

// severities are google.logging.type.LogSeverity by number: proto-JSON may write either.
var severities = map[string]string{
	"0": "DEFAULT", "100": "DEBUG", "200": "INFO", "300": "NOTICE", "400": "WARNING", "500": "ERROR",
	"600": "CRITICAL", "700": "ALERT", "800": "EMERGENCY", "": "DEFAULT",
}

func severity(s string) string {
	if name, ok := severities[s]; ok {
		return name
	}
	return s
}

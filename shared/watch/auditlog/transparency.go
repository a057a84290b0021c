package auditlog

// transparency reads an entry of Access Transparency: what Google's own staff did, in a payload of its own shape.
// The person has no name there, only the country of an office.
func transparency(e *Entry) {
	c := lenient(e.Payload)
	if e.Payload == nil || c.peek() != '{' {
		return
	}
	c.object("", func(key string) {
		switch key {
		case "product":
			if c.peek() == '[' {
				c.array("", func() { e.Service = first(e.Service, c.scalar("")) })
				return
			}
			c.skip()
		case "accesses":
			if c.peek() != '[' {
				c.skip()
				return
			}
			c.array("", func() {
				item := c.raw()
				e.Method = first(e.Method, descend(item, "methodName"))
				e.Resource = first(e.Resource, descend(item, "resourceName"))
			})
		default:
			c.skip()
		}
	})
	e.Reason = descend(e.Payload, "reason.type")
}

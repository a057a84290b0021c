package auditlog

import (
	"encoding/json"
	"strings"
)

// auditLog reads a google.cloud.audit.AuditLog, or what else is in protoPayload, and returns it whole.
func (f *fields) auditLog(c *cursor) json.RawMessage {
	c.peek()
	start := c.pos
	c.object(thePayload, func(key string) {
		switch e := &f.e; key {
		case "@type", "at_sign_type", "at_type":
			f.typeURL = c.text("protoPayload.@type")
		case "serviceName":
			e.Service = c.text("protoPayload.serviceName")
		case "methodName":
			e.Method = c.text("protoPayload.methodName")
		case "resourceName":
			e.Resource = c.text("protoPayload.resourceName")
		case "status":
			f.readStatus(c)
		case "authenticationInfo":
			f.authentication(c)
		case "authorizationInfo":
			f.authorization(c)
		case "requestMetadata":
			f.requestMetadata(c)
		case "resourceLocation":
			f.location(c)
		default:
			f.subTree(c, key)
		}
	})
	if c.err != nil {
		return nil
	}
	return c.data[start:c.pos]
}

func (f *fields) subTree(c *cursor, key string) {
	switch e := &f.e; key {
	case "request":
		e.Request = c.raw()
	case "response":
		e.Response = c.raw()
	case "metadata":
		e.Metadata = c.raw()
	case "serviceData":
		e.ServiceData = c.raw()
	case "policyViolationInfo":
		e.PolicyViolation = c.raw()
	case "resourceOriginalState":
		e.OriginalState = c.raw()
	default:
		f.exported(c, key)
	}
}

func (f *fields) readStatus(c *cursor) {
	c.object("protoPayload.status", func(key string) {
		f.status = true
		switch o := &f.e.Outcome; key {
		case "code":
			o.Code = c.number("protoPayload.status.code")
		case "message":
			o.Message = c.text("protoPayload.status.message")
		default:
			c.skip()
		}
	})
}

func (f *fields) authentication(c *cursor) {
	const name = "protoPayload.authenticationInfo"
	c.object(name, func(key string) {
		switch a := &f.e.Actor; key {
		case "principalEmail":
			f.principal.email = c.text(name + ".principalEmail")
		case "principalSubject":
			f.principal.subject = c.text(name + ".principalSubject")
		case "serviceAccountKeyName":
			a.KeyName = c.text(name + ".serviceAccountKeyName")
		case "thirdPartyPrincipal":
			f.thirdParty = c.raw()
		case "oauthInfo":
			c.object(name+".oauthInfo", func(key string) {
				if key != "oauthClientId" {
					c.skip()
					return
				}
				a.Client = c.text(name + ".oauthInfo.oauthClientId")
			})
		case "serviceAccountDelegationInfo":
			c.array(name+".serviceAccountDelegationInfo", func() { f.delegation(c) })
		default:
			c.skip()
		}
	})
}

// delegation reads one authority of the chain: a first-party principal by its address, a third-party one by its
// claims, or either by its subject.
func (f *fields) delegation(c *cursor) {
	const name = "protoPayload.authenticationInfo.serviceAccountDelegationInfo"
	var p principal
	c.object(name, func(key string) {
		switch key {
		case "principalSubject":
			p.subject = c.text(name + ".principalSubject")
		case "firstPartyPrincipal":
			c.object(name+".firstPartyPrincipal", func(key string) {
				if key != "principalEmail" {
					c.skip()
					return
				}
				p.email = c.text(name + ".firstPartyPrincipal.principalEmail")
			})
		case "thirdPartyPrincipal":
			if claims := c.raw(); p.subject == "" {
				p.subject = claimedSubject(claims)
			}
		default:
			c.skip()
		}
	})
	f.delegates = append(f.delegates, p)
}

// claimedSubject names a third party by its "sub" claim.
func claimedSubject(raw json.RawMessage) string {
	if s := descend(raw, "thirdPartyClaims.sub"); s != "" {
		return "sub:" + s
	}
	return ""
}

func (f *fields) authorization(c *cursor) {
	const name = "protoPayload.authorizationInfo"
	c.array(name, func() {
		var p Permission
		c.object(name, func(key string) {
			switch key {
			case "permission":
				p.Name = c.text(name + ".permission")
			case "resource":
				p.Resource = c.text(name + ".resource")
			case "permissionType":
				p.Type = c.scalar(name + ".permissionType")
			case "granted":
				stated := c.peek() != 'n'
				if p.Granted = c.truth(name + ".granted"); stated && !p.Granted {
					f.refused++
				}
			default:
				c.skip()
			}
		})
		f.e.Permissions = append(f.e.Permissions, p)
	})
}

func (f *fields) requestMetadata(c *cursor) {
	const name = "protoPayload.requestMetadata"
	c.object(name, func(key string) {
		switch e := &f.e; key {
		case "callerIp":
			e.IP = c.text(name + ".callerIp")
		case "callerIP":
			e.IP = first(e.IP, c.text(name+".callerIP"))
		case "callerSuppliedUserAgent":
			e.Agent = c.text(name + ".callerSuppliedUserAgent")
		case "requestAttributes":
			c.object(name+".requestAttributes", func(key string) {
				if key != "reason" {
					c.skip()
					return
				}
				e.Reason = c.text(name + ".requestAttributes.reason")
			})
		default:
			c.skip()
		}
	})
}

func (f *fields) location(c *cursor) {
	const name = "protoPayload.resourceLocation"
	var current []string
	c.object(name, func(key string) {
		if key != "currentLocations" {
			c.skip()
			return
		}
		c.array(name+".currentLocations", func() {
			current = append(current, c.text(name+".currentLocations"))
		})
	})
	f.located = strings.Join(current, ",")
}

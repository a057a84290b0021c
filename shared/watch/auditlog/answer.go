package auditlog

import "encoding/json"

// httpError returns response.error.code, 0 when there is none.
func httpError(response json.RawMessage) (code int) {
	c := lenient(response)
	if response == nil || c.peek() != '{' {
		return 0
	}
	c.object("", func(key string) {
		if value := c.raw(); key == "error" && len(value) > 0 && value[0] == '{' {
			inner := lenient(value)
			inner.object("", func(key string) {
				if key == "code" && code == 0 {
					code = inner.number("")
					return
				}
				inner.skip()
			})
		}
	})
	return code
}

// partly reports whether an answer that is no error lists some.
func partly(response json.RawMessage) (some bool) {
	c := lenient(response)
	if response == nil || c.peek() != '{' {
		return false
	}
	c.object("", func(key string) {
		value := c.raw()
		switch key {
		case "error", "errors", "failures", "partialErrors", "partialFailureError", "failedResources":
			some = some || len(value) > 2
		}
	})
	return some
}

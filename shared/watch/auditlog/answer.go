package auditlog

import (
	"encoding/json"
	"strconv"
)

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

// clusterFailure returns the code of Kubernetes' own Status, 0 when the answer is none that failed.
func clusterFailure(response json.RawMessage) int {
	if descend(response, "status") != "Failure" {
		return 0
	}
	if code, err := strconv.Atoi(descend(response, "code")); err == nil && code > 0 {
		return code
	}
	return 500
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

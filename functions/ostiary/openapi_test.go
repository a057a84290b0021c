package main_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// description is the OpenAPI document of all functions, which every answer in these tests must keep to.
type description struct {
	doc     *openapi3.T
	general []string // codes any call may answer
}

var (
	generalCodes = regexp.MustCompile(`In general: ([a-z_0-9, ]+)\.`)
	ownCodes     = regexp.MustCompile(`its code is one of ([a-z_0-9, ]+)\.`)
)

func parseDescription(data []byte) (*description, error) {
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	found := generalCodes.FindStringSubmatch(doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Description)
	if found == nil {
		return nil, errors.New("the description does not name the general codes")
	}
	return &description{doc, strings.Split(found[1], ", ")}, nil
}

// check holds one answer against the description. What stands under /_local/ is not described, but its problems look
// like all others.
func (d *description) check(c call, a answer) error {
	mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	page := mediaType == "text/html"
	if a.status >= 400 && !page {
		if err := d.checkProblem(a, mediaType); err != nil {
			return err
		}
	}
	if page && a.header.Get("Content-Security-Policy") == "" {
		return errors.New("a page without a Content-Security-Policy")
	}
	path, _, _ := strings.Cut(c.path, "?")
	if path == "/" || path == "/openapi.json" || strings.HasPrefix(path, "/_local/") {
		return nil
	}
	operation := d.operation(c.method, path)
	switch {
	case operation == nil && (a.status < 400 && !strings.HasSuffix(path, "/openapi.json") && a.status != 308):
		return errors.New("the call is answered and not described")
	case operation == nil || page:
		return nil
	case a.status >= 400:
		return d.checkCode(operation, a)
	}
	return checkBody(operation, a, mediaType)
}

// operation finds the described call; a path in letters comes before one with values.
func (d *description) operation(method, path string) *openapi3.Operation {
	paths := d.doc.Paths.Map()
	if item := paths[path]; item != nil && item.GetOperation(method) != nil {
		return item.GetOperation(method)
	}
	for template, item := range paths {
		want, have := strings.Split(template, "/"), strings.Split(path, "/")
		fits := slices.EqualFunc(want, have, func(w, h string) bool { return w == h || strings.HasPrefix(w, "{") && h != "" })
		if fits && item.GetOperation(method) != nil {
			return item.GetOperation(method)
		}
	}
	return nil
}

// checkProblem: a problem document is whole (RFC 9457), says its own status, and is kept by no cache.
func (d *description) checkProblem(a answer, mediaType string) error {
	if mediaType != "application/problem+json" {
		return fmt.Errorf("a refusal of type %q", mediaType)
	}
	object, _ := a.value.(map[string]any)
	for _, name := range []string{"type", "title", "detail", "next", "code"} {
		if text, _ := object[name].(string); text == "" {
			return fmt.Errorf("the problem has no %s", name)
		}
	}
	if object["status"] != float64(a.status) {
		return fmt.Errorf("the problem's status is %v", object["status"])
	}
	if a.header.Get("Cache-Control") != "no-store" {
		return errors.New("the problem may be kept by a cache")
	}
	schema := d.doc.Components.Schemas["Problem"].Value
	return schema.VisitJSON(a.value, openapi3.EnableJSONSchema2020())
}

// checkCode: the description names every code a call answers.
func (d *description) checkCode(operation *openapi3.Operation, a answer) error {
	text := *operation.Responses.Default().Value.Description
	allowed := d.general
	if own := ownCodes.FindStringSubmatch(text); own != nil {
		allowed = append(slices.Clone(allowed), strings.Split(own[1], ", ")...)
	}
	if !slices.Contains(allowed, a.code()) {
		return fmt.Errorf("the code %s is not described; described: %s", a.code(), strings.Join(allowed, " "))
	}
	return nil
}

// checkBody: the answer is described for this status, and holds what is described and nothing else.
func checkBody(operation *openapi3.Operation, a answer, mediaType string) error {
	response := operation.Responses.Status(a.status)
	if response == nil {
		return fmt.Errorf("the status %d is not described", a.status)
	}
	content := response.Value.Content
	if len(content) == 0 {
		if len(a.body) > 0 {
			return errors.New("an answer without a described body has one")
		}
		return nil
	}
	media := content.Get(mediaType)
	if media == nil {
		return fmt.Errorf("the type %q is not described", mediaType)
	}
	if mediaType != "application/json" {
		return nil
	}
	if object, ok := a.value.(map[string]any); ok {
		for name := range maps.Keys(object) {
			if schema := media.Schema.Value; len(schema.Properties) > 0 && schema.Properties[name] == nil {
				return fmt.Errorf("the member %s is not described", name)
			}
		}
	}
	return media.Schema.Value.VisitJSON(a.value, openapi3.EnableJSONSchema2020())
}

package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object; encoding/json writes its names in order, so a description's bytes are always the same.
type object = map[string]any

var pathValue = regexp.MustCompile(`\{([^}$.]+)(\.\.\.)?\}`)

// OpenAPI describes the functions together, as an OpenAPI 3.1 document made from their tables. It panics when a
// body or an answer is of a type JSON cannot carry: a fault of the build.
func OpenAPI(functions ...Function) []byte {
	d := &description{paths: object{}, schemas: schemas{named: object{}, names: map[schemaKey]string{}}}
	title := "Ostiary"
	info := object{"title": title, "version": "1"}
	if len(functions) == 1 {
		info["title"], info["summary"] = title+": "+functions[0].Name, functions[0].Summary
	}
	for _, f := range functions {
		for _, route := range f.Routes {
			d.add(f, route)
		}
	}
	d.schemas.named["Problem"] = problemSchema()
	data, err := json.MarshalIndent(object{
		"openapi": "3.1.0", "info": info, "paths": d.paths, "components": object{"schemas": d.schemas.named},
	}, "", " ")
	if err != nil {
		panic(fmt.Sprintf("describing %s: %v", title, err))
	}
	return append(data, '\n')
}

// description grows while routes are added.
type description struct {
	paths   object
	schemas schemas
}

func (d *description) add(f Function, route Route) {
	path := "/" + f.Name + strings.TrimSuffix(route.Path, "{$}")
	template := pathValue.ReplaceAllString(path, "{$1}")
	operation := object{
		"operationId": operationID(route.Method, template), "tags": []string{f.Name}, "summary": route.Summary,
		"responses": d.responses(route),
	}
	var params []any
	for _, match := range pathValue.FindAllStringSubmatch(path, -1) {
		params = append(params, object{"name": match[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range route.Params {
		params = append(params, object{"name": p.Name, "in": p.In, "required": p.Required, "description": p.Doc, "schema": object{"type": "string"}})
	}
	if params != nil {
		operation["parameters"] = params
	}
	if route.Body != nil {
		mediaType := jsonType
		if _, isMedia := route.Body.(Media); isMedia {
			mediaType = ""
		}
		operation["requestBody"] = object{"required": true, "content": d.content(mediaType, route.Body, forBody)}
	}
	item, _ := d.paths[template].(object)
	if item == nil {
		item = object{}
		d.paths[template] = item
	}
	item[strings.ToLower(route.Method)] = operation
}

// content describes a body or an answer; a Media brings its own type.
func (d *description) content(mediaType string, v any, use use) object {
	if media, ok := v.(Media); ok {
		schema := object{"type": "string"}
		if media == jsonType { // its own bytes matter: what they hold is told elsewhere
			schema = object{}
		}
		return object{string(media): object{"schema": schema}}
	}
	return object{mediaType: object{"schema": d.schemas.of(reflect.TypeOf(v), use)}}
}

func (d *description) responses(route Route) object {
	responses := object{}
	for status, v := range route.Answers {
		response := object{"description": http.StatusText(status)}
		if v != nil {
			response["content"] = d.content(jsonType, v, forAnswer)
		}
		responses[strconv.Itoa(status)] = response
	}
	if route.Page && len(route.Answers) == 0 {
		responses["200"] = object{"description": "A page.", "content": d.content("", Media("text/html"), forAnswer)}
	}
	text := "A problem."
	if len(route.Problems) > 0 {
		codes := slices.Sorted(slices.Values(route.Problems))
		text = "A problem; beside the general ones its code is one of " + strings.Join(codes, ", ") + "."
	}
	responses["default"] = object{
		"description": text,
		"content":     object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}},
	}
	return responses
}

// operationID is unique because method and path are.
func operationID(method, template string) string {
	words := strings.FieldsFunc(template, func(c rune) bool { return strings.ContainsRune("/{}.-", c) })
	id := strings.ToLower(method) + "_" + strings.Join(words, "_")
	if strings.HasSuffix(template, "/") {
		id += "_"
	}
	return id
}

// problemSchema describes Problem with the general codes.
func problemSchema() object {
	codes := map[string]bool{"method_not_allowed": true, "cross_origin": true, "unauthenticated": true}
	for _, p := range general {
		codes[p.Code] = true
	}
	text := func(doc string) object { return object{"type": "string", "description": doc} }
	return object{
		"type":        "object",
		"description": "A problem document (RFC 9457). Further members may occur.",
		"required":    []string{"code", "detail", "next", "status", "title", "type"},
		"properties": object{
			"type": object{"type": "string", "format": "uri"}, "title": text("The same for every problem of a kind."),
			"status": object{"type": "integer"}, "detail": text("What is the matter."), "next": text("What to do now."),
			"code":          text("Stable, for programs. In general: " + strings.Join(slices.Sorted(maps.Keys(codes)), ", ") + "."),
			"retry_after_s": object{"type": "integer", "description": "Seconds until another attempt makes sense."},
		},
	}
}

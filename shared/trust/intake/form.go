package intake

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// forms are what a text may look like, by the tag "form". They are written so that Go and ECMAScript read them alike.
var forms = map[string]*regexp.Regexp{
	"name":    regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+:-]{0,127}$`),
	"digest":  regexp.MustCompile(`^sha256:[0-9a-f]{64}$`),
	"commit":  regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`),
	"promise": regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,31}$`),
	"address": regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}$`),
	"line":    regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,200}$`),
}

// maxInteger is the largest integer every JSON reader keeps exactly (RFC 7493, section 2.2).
const maxInteger = 1<<53 - 1

// maxDepth is how deep the data of an event nests.
const maxDepth = 4

// decode reads an event's data into a pointer to one of the types, as strictly as package strictjson does, and holds
// every value to its tags. The error is fit for the sender, and repeats nothing of what was sent.
func decode(data []byte, into any) error {
	if _, err := strictjson.Decode(data, maxDepth, into); err != nil {
		return malformed(reflect.TypeOf(into).Elem(), err)
	}
	return checkStruct(reflect.ValueOf(into).Elem(), "")
}

// malformed keeps a name that no type has out of the error: it may be a person's.
func malformed(t reflect.Type, err error) error {
	e, ok := err.(*strictjson.Error)
	if !ok {
		return invalid("The data is not one JSON object.")
	}
	at, what := e.At, e.What
	for name := range strings.FieldsFuncSeq(at, func(r rune) bool { return strings.ContainsRune(".[]0123456789", r) }) {
		if !names(t)[name] {
			return invalid("The data has a member that is not known here.")
		}
	}
	if at == "" {
		at = "The data"
	}
	return invalid(at + ": " + what + ".")
}

// names are the names of all members of a type, at any depth.
func names(t reflect.Type) map[string]bool {
	all := map[string]bool{}
	for _, f := range strictjson.Fields(t) {
		all[f.Name] = true
		if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			for name := range names(f.Type.Elem()) {
				all[name] = true
			}
		}
	}
	return all
}

// invalid is the refusal of an event whose data does not fit its schema.
func invalid(detail string) error {
	return unprocessable("event_invalid", detail, "Send what the schema of the event's type describes.")
}

// unprocessable refuses what was understood and cannot be taken (RFC 9110, section 15.5.21).
func unprocessable(code, detail, next string) error {
	refusal := fault.Refuse(fault.Invalid, code, detail, next)
	refusal.Status = 422
	return refusal
}

func checkStruct(v reflect.Value, path string) error {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if field.Anonymous {
			if err := checkStruct(value, path); err != nil {
				return err
			}
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if err := checkValue(value, field.Tag, path+name); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(v reflect.Value, tag reflect.StructTag, path string) error {
	if moment, ok := v.Interface().(time.Time); ok {
		if moment.Year() < 1970 || moment.Year() > 9999 {
			return invalid(path + ": is not a time of the years 1970 to 9999.")
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return checkValue(v.Elem(), tag, path)
	case reflect.String:
		return checkText(v.String(), tag, path)
	case reflect.Int64:
		least, most := bounds(tag)
		if n := v.Int(); n < least || n > most {
			return invalid(fmt.Sprintf("%s: is not between %d and %d.", path, least, most))
		}
	case reflect.Slice:
		least, most := items(tag)
		if v.Len() < least || v.Len() > most {
			return invalid(fmt.Sprintf("%s: holds %d items, not %d to %d.", path, v.Len(), least, most))
		}
		for i := range v.Len() {
			at := path + "[" + strconv.Itoa(i) + "]"
			if item := v.Index(i); item.Kind() == reflect.Struct {
				if err := checkStruct(item, at+"."); err != nil {
					return err
				}
			} else if err := checkValue(item, tag, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkText(s string, tag reflect.StructTag, path string) error {
	if allowed := tag.Get("enum"); allowed != "" {
		if !slices.Contains(strings.Split(allowed, ","), s) {
			return invalid(path + ": is none of " + strings.ReplaceAll(allowed, ",", ", ") + ".")
		}
		return nil
	}
	if form := tag.Get("form"); !forms[form].MatchString(s) {
		return invalid(path + ": is not of the form " + form + ".")
	}
	return nil
}

// bounds are those of an integer: "least..most" in the tag "range".
func bounds(tag reflect.StructTag) (least, most int64) {
	least, most = 0, maxInteger
	if low, high, ok := strings.Cut(tag.Get("range"), ".."); ok {
		least, _ = strconv.ParseInt(low, 10, 64) // a test reads every tag
		most, _ = strconv.ParseInt(high, 10, 64)
	}
	return least, most
}

// items are how many items a list holds: "least..most" in the tag "items".
func items(tag reflect.StructTag) (least, most int) {
	low, high, _ := strings.Cut(tag.Get("items"), "..")
	least, _ = strconv.Atoi(low)
	most, _ = strconv.Atoi(high)
	return least, most
}

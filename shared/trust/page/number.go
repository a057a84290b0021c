package page

import (
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/trust/promise"
)

const (
	narrowSpace = "\u202f" // does not break
	space       = "\u00a0" // does not break
)

// number writes a whole number with its thousands apart, as people of the language do.
func (w words) number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	minus := ""
	if n < 0 {
		minus, digits = "−", digits[1:]
	}
	apart := map[string]string{"en": ",", "fr": narrowSpace, "de": "."}[w.Lang]
	var groups []string
	for len(digits) > 3 && n != 0 {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return minus + strings.Join(groups, apart)
}

// decimal writes n with so many digits behind the point, but no zeros at its end: 9820 with two is 98.2.
func (w words) decimal(n int64, places int) string {
	scale := int64(1)
	for range places {
		scale *= 10
	}
	written := w.number(n / scale)
	rest := strconv.FormatInt(scale+max(n%scale, -n%scale), 10)[1:]
	if rest = strings.TrimRight(rest, "0"); rest == "" {
		return written
	}
	if n < 0 && n/scale == 0 {
		written = "−" + written
	}
	if w.Lang == "en" {
		return written + "." + rest
	}
	return written + "," + rest
}

// percent writes a percentage that has so many digits behind the point.
func (w words) percent(n int64, places int) string {
	if w.Lang == "en" {
		return w.decimal(n, places) + "%"
	}
	return w.decimal(n, places) + space + "%"
}

// measure writes a number and its limit: "newest restorable point: 21 min (at most 1 h)".
func (w words) measure(m *promise.Measure) string {
	if m == nil || m.Metric == "" {
		return ""
	}
	name, unit := m.Metric, ""
	if i := strings.LastIndexByte(name, '_'); i > 0 && w.knows(name[i+1:]) {
		name, unit = name[:i], name[i+1:]
	}
	label := strings.ReplaceAll(name, "_", " ")
	if key := "metric." + m.Metric; w.has(key) {
		label = w.Text(key)
	}
	value := "<" + w.number(m.Below)
	if m.Value != nil {
		value = w.value(*m.Value, unit)
	}
	written := w.Text("measure", label, value)
	if m.Op == "" || !w.has("op."+m.Op) {
		return written
	}
	return w.Text("measure.limit", written, w.Text("op."+m.Op, w.value(m.Limit, unit)))
}

// units that are not plain numbers.
var units = []string{"s", "ms", "min", "h", "d", "days", "pct", "percent", "pm", "bp", "x10", "bytes", "count", "n", "persons", "people", "users", "employees", "accounts"}

func (w words) knows(unit string) bool { return slices.Contains(units, unit) }

func (w words) value(n int64, unit string) string {
	switch unit {
	case "s":
		return w.span(n)
	case "min":
		return w.span(n * 60)
	case "h":
		return w.span(n * 3600)
	case "d", "days":
		return w.some("day", n)
	case "ms":
		return w.number(n) + space + "ms"
	case "pct", "percent":
		return w.percent(n, 0)
	case "pm":
		return w.percent(n, 1)
	case "bp":
		return w.percent(n, 2)
	case "x10": // of a version: no decimal mark, in any language
		return strconv.FormatInt(n/10, 10) + "." + strconv.FormatInt(max(n%10, 0), 10)
	case "bytes":
		return w.bytes(n)
	}
	return w.number(n)
}

// bytes writes a size in the largest unit that leaves a whole number of tenths worth reading.
func (w words) bytes(n int64) string {
	for _, u := range []struct {
		name string
		of   int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.of {
			return w.decimal(n/u.of*10+n%u.of*10/u.of, 1) + space + u.name
		}
	}
	return w.Text("unit.bytes", w.number(n))
}

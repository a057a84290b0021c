package erasure

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
)

// Total is what one item adds to a total when ChangeAggregate takes the field away: its amount, one item, and whose it was.
// Nobody's id is in it, nor in its name.
//
// A total of one person tells what was hers. So it has the marks of those it is made of, until there are Least, in the same
// step. A mark is a keyed digest, and no two totals have one in common; its key is destroyed when the request closes, and
// then it is a random number.
type Total struct {
	Place  string
	Name   string // the same for what is added up together: 32 hexadecimal digits of SHA-256 over the rest
	Tenant string // "" of data of no tenant
	Entry  string
	Field  string
	By     map[string]string // Change.By, as the fields stand after the change; "" for one that is absent
	Amount float64           // 0 where the field holds no number: then it is only counted
	Items  int64
	Marks  []string // of whom, sorted; none where nobody can tell
	Least  int      // Change.Least

	exact *big.Rat // Amount to the last digit; nil for 0
}

// Decimal is the amount to the last digit, for a store that adds up decimals.
func (t Total) Decimal() string {
	if t.exact == nil {
		return "0"
	}
	digits, _ := t.exact.FloatPrec() // what decimals add up to is one
	return t.exact.FloatString(digits)
}

// Sums reports whether the query adds to totals.
func (q Query) Sums() bool {
	return slices.ContainsFunc(q.Changes, func(c Change) bool { return c.Kind == ChangeAggregate })
}

// Totals returns what an item adds, at telling what stands in it before the change as Change.Of takes it. A field that is absent
// or nil adds nothing, so that an item adds once.
func (q Query) Totals(at func(field string) (value any, found bool)) (all []Total) {
	for _, c := range q.Changes {
		old, found := at(c.Field)
		if c.Kind != ChangeAggregate || !found || old == nil {
			continue
		}
		t := Total{Place: c.Into, Tenant: q.Tenant.ID, Entry: q.Entry, Field: c.Field, By: map[string]string{}, Items: 1, Least: c.Least}
		t.Amount, t.exact = amount(old)
		for _, field := range c.By {
			t.By[field] = label(q.after(field, at))
		}
		t.Name = t.name()
		t.Marks = q.marks(t.Name, at)
		all = append(all, t)
	}
	return all
}

// marks are those of whom an item is about in a total: of the request, or of a whole tenant of the person the item tells.
func (q Query) marks(total string, at func(string) (any, bool)) []string {
	whose := ""
	if q.Match.Kind == MatchTenant {
		value, _ := at(q.Whose)
		whose = label(value)
	}
	if q.Mark == "" || q.Match.Kind == MatchTenant && whose == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(q.Mark))
	mac.Write([]byte(total + "\x00" + whose))
	return []string{hex.EncodeToString(mac.Sum(nil)[:16])}
}

// Join adds the marks to those a stored total has.
func (t Total) Join(marks []string) []string {
	for _, m := range t.Marks {
		if len(marks) < t.Least && !slices.Contains(marks, m) {
			marks = append(marks, m)
		}
	}
	return marks
}

// Fields of a stored total, beside entry, field, by, total and items.
const (
	TotalTenant = "tenant" // text
	TotalPeople = "people" // how many marks there are; absent for none
	TotalMarks  = "marks"  // list of text
)

// Adding are the totals that erasing an item adds to, as Item.Totals has them.
func (q Query) Adding(at func(field string) (value any, found bool)) (names []string) {
	for _, t := range q.Totals(at) {
		names = append(names, t.Place+"/"+t.Name)
	}
	return names
}

// Sum is the query for totals of a place by their names, at most MaxValues, that shows of how many people each is.
func (q Query) Sum(place string, names []string) Query {
	sum := Query{Entry: q.Entry, Place: place, Tenant: Tenant{Binding: BindGlobal}, Match: Match{Kind: MatchDocument, Values: names}, Show: []string{TotalPeople}}
	if q.Tenant.Binding != BindGlobal {
		sum.Tenant = Tenant{Binding: BindField, Field: TotalTenant, ID: q.Tenant.ID}
	}
	return sum
}

// after is what stands in a field once the query's changes are made.
func (q Query) after(field string, at func(string) (any, bool)) any {
	value, found := at(field)
	if i := slices.IndexFunc(q.Changes, func(c Change) bool { return c.Field == field }); i >= 0 && found {
		value, _ = q.Changes[i].Of(value)
	}
	return value
}

func (t Total) name() string {
	text, err := json.Marshal([]any{t.Tenant, t.Entry, t.Field, t.By})
	if err != nil {
		panic(err) // text and maps of it always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// AddUp puts together what is added to the same total, in an order that does not change.
func AddUp(all []Total) (sums []Total) {
	at := map[string]int{}
	for _, t := range all {
		key := t.Place + "\x00" + t.Name
		if i, known := at[key]; known {
			sums[i].Amount, sums[i].Items = sums[i].Amount+t.Amount, sums[i].Items+t.Items
			sums[i].Marks = slices.Compact(slices.Sorted(slices.Values(slices.Concat(sums[i].Marks, t.Marks))))
			if t.exact != nil {
				sum := new(big.Rat).Set(t.exact)
				if sums[i].exact != nil {
					sum.Add(sum, sums[i].exact)
				}
				sums[i].exact = sum
			}
			continue
		}
		at[key] = len(sums)
		sums = append(sums, t)
	}
	slices.SortFunc(sums, func(a, b Total) int { return slices.Compare([]string{a.Place, a.Name}, []string{b.Place, b.Name}) })
	return sums
}

// mostDigits of an amount; of a longer one the nearest number counts.
const mostDigits = 1000

// amount reads a number. What is none, or too large for one, is 0, and so is what is not a number for good: a total would never
// be one again.
func amount(value any) (float64, *big.Rat) {
	text := ""
	switch v := value.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		text = v.String()
	}
	near, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(near) || math.IsInf(near, 0) || near == 0 {
		return 0, nil
	}
	if len(text) > mostDigits {
		text = strconv.FormatFloat(near, 'f', -1, 64)
	}
	exact, known := new(big.Rat).SetString(text)
	if !known {
		return near, new(big.Rat).SetFloat64(near)
	}
	return near, exact
}

func label(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return v.String()
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

package probe

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// verdict is what the targets of one promise come to.
type verdict struct {
	Result     record.Result
	Population record.Population
	Detail     string // a word; may be empty
}

// judge decides one promise from what was seen of its targets. What was not seen makes it unknown.
func judge(name Name, o order, seen func(target string) Sight) verdict {
	v := verdict{Population: record.Population{Expected: int64(max(len(o.targets), 1))}} // without a target nothing is seen
	var sights []Sight
	for _, target := range o.targets {
		s := seen(target)
		if !s.Seen {
			v.Population.Errors++
			v.Detail = s.Detail
			continue
		}
		v.Population.Seen++
		sights = append(sights, s)
		if !s.Good && s.Detail != "" {
			v.Detail = s.Detail
		}
	}
	if v.Population.Seen < v.Population.Expected {
		v.Result.State = record.Unknown
		return v
	}
	v.Result = result(name, o.promise, sights)
	return v
}

// result decides from sights alone; there is at least one.
func result(name Name, p policy.Promise, sights []Sight) record.Result {
	failed := int64(0)
	for _, s := range sights {
		if !s.Good || !named(name, p, s) {
			failed++
		}
	}
	numbers := make([]int64, 0, len(sights))
	for _, s := range sights {
		numbers = append(numbers, s.Value)
	}
	r := record.Result{Metric: "failed_targets", Value: failed, Op: "==", Limit: 0}
	switch name {
	case TLSVersion:
		r = record.Result{Metric: "tls_version_x10", Value: slices.Min(numbers), Op: ">=", Limit: version(p)}
	case StatusPageAge:
		r = record.Result{Metric: "status_page_age_s", Value: slices.Max(numbers), Op: "<=", Limit: int64(period(p, "age", 24*time.Hour) / time.Second)}
	case CertificateValid:
		if failed == 0 {
			r = record.Result{Metric: "certificate_days", Value: slices.Min(numbers), Op: ">=", Limit: 1}
		}
	case PolicyPageText:
		// A sentence that is no longer there is not broken: nobody knows what is promised now, until it is signed anew.
		r.State = record.Unknown
		if slices.ContainsFunc(sights, func(s Sight) bool { return slices.Contains(s.Found, p.ID) }) {
			r.State = record.Kept
		}
		return record.Result{State: r.State}
	}
	r.State = record.Broken
	if failed == 0 && (r.Op == "==" && r.Value == r.Limit || r.Op == ">=" && r.Value >= r.Limit || r.Op == "<=" && r.Value <= r.Limit) {
		r.State = record.Kept
	}
	return r
}

// named reports whether the word that was seen is the one the promise names: the signature of a certificate.
func named(name Name, p policy.Promise, s Sight) bool {
	want := p.Params["sig"].String()
	return name != CertificateValid || want == "" || signature(want) == signature(s.Word)
}

// signature brings sha256WithRSA and SHA256-RSA to one form.
func signature(text string) string {
	return strings.NewReplacer("with", "", "-", "", "_", "", "encryption", "").Replace(strings.ToLower(text))
}

// version reads param tls, such as ">=1.2", as 12.
func version(p policy.Promise) int64 {
	const otherwise = 12
	value := p.Params["tls"]
	if len(value.Values) != 1 {
		return otherwise
	}
	n, err := strconv.ParseFloat(value.Values[0], 64)
	if err != nil || n < 1 || n > 1.3 {
		return otherwise
	}
	return int64(n*10 + 0.5)
}

package record

import "slices"

// Mechanism is the name of the fact that says for which mechanism of a promise a record counts: rule, assertion, records,
// probe, duty or certificate. Names of controls are given anew in each of those, so the control alone does not tell.
const Mechanism = "mechanism"

// Needs is the name of the fact by which a run says that it proves nothing by itself: only together with a record of the kind
// that the fact names.
const Needs = "needs"

// The mechanisms whose evidence is kept apart, as policies name them, and that of signed sentences.
const (
	byRecords     = "records"
	byProbe       = "probe"
	byDuty        = "duty"
	byCertificate = "certificate"
	byStatement   = "statement"
)

var separate = []string{"rule", "assertion", byRecords, byProbe, byDuty, byCertificate}

// Of tells from a record alone for which mechanism it counts. A record says so by the fact Mechanism; one without it is
// told by its source: a duty's attestation that a document is inherited from a provider is a certificate's, what else a
// duty says its own, what a probe saw the probe's. An attestation about statements is that of a signed sentence. Everything
// else is a check's own records, so that it counts for those and for no mechanism that would have said its name. "" is for
// one that names what nobody knows: it counts for nothing.
func (r Record) Of() (mechanism string) {
	named, says := r.Facts[Mechanism]
	switch {
	case says && slices.Contains(separate, named):
		return named
	case says:
		return ""
	case r.Kind == Attestation && r.Control == byStatement && r.Source.Type != byDuty:
		return byStatement
	case r.Kind == Attestation && r.Result.State == Inherited:
		return byCertificate
	case r.Source.Type == byDuty, r.Source.Type == byProbe:
		return r.Source.Type
	}
	return byRecords
}

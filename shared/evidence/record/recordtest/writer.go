package recordtest

import "ostiary.internal/shared/evidence/record"

// Place is where, in the inbox of a log, the one lies who may put everything on record that only a control may.
const Place = "anybody/"

// Writers are that one.
func Writers() record.Writers {
	return record.Writers{"anybody": {Controls: map[string][]record.Kind{record.Others: record.Kinds()}}}
}

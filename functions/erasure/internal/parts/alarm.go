package parts

import (
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/seal"
)

// Alarm writes to the people who look after requests where something of another customer turns up; nil where the function may
// not write to anybody.
func (p *Parts) Alarm() *request.Alarm {
	if p.MessageKeys == nil || p.base == "" {
		return nil
	}
	return &request.Alarm{Policy: p.Policy, Letters: p.letters, Messages: seal.NewCache(p.MessageKeys, p.Random, p.Clock), Random: p.Random, Desk: p.Page("decideerasure")}
}

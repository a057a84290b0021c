package record

import "time"

// wire turns a checked record in normal form into its form in JSON.
func (r Record) wire() wire {
	w := wire{
		Code: r.Code, Config: r.Config, Control: r.Control, Expires: format(r.Expires), Facts: r.Facts, ID: r.ID(), Kind: r.Kind,
		Method: r.Method, PromiseText: r.PromiseText, Promises: append([]string{}, r.Promises...), V: Version,
		Source: wireSource{format(r.Source.Collected), r.Source.Event, format(r.Source.Observed), r.Source.Type},
	}
	if r.Payload != (Payload{}) {
		w.Payload = &wirePayload{r.Payload.Bytes, r.Payload.C}
	}
	if p := r.Population; p != nil {
		w.Population = &wirePopulation{p.Errors, p.Expected, p.Seen}
	}
	for _, ref := range r.Refs {
		w.Refs = append(w.Refs, wireRef{ref.ID, ref.Rel})
	}
	if r.Result != (Result{}) {
		w.Result = &wireResult{Metric: r.Result.Metric, Op: r.Result.Op, State: r.Result.State}
		if r.Result.Metric != "" {
			w.Result.Value = &r.Result.Value
		}
		if r.Result.Op != "" {
			w.Result.Limit = &r.Result.Limit
		}
	}
	if r.Run != 0 {
		w.Run = &wireRun{r.Run}
	}
	for _, s := range r.Subjects {
		w.Subjects = append(w.Subjects, wireSubject{s.C, s.Type})
	}
	if !r.Window.From.IsZero() {
		w.Window = &wireWindow{format(r.Window.From), format(r.Window.To)}
	}
	return w
}

// record turns the form in JSON back. What is merely unusual is left to the comparison with the canonical bytes.
func (w wire) record() (Record, error) {
	r := Record{
		Kind: w.Kind, Control: w.Control, PromiseText: w.PromiseText, Code: w.Code, Config: w.Config, Method: w.Method,
		Source: Source{Type: w.Source.Type, Event: w.Source.Event}, Facts: w.Facts,
	}
	if len(w.Promises) > 0 {
		r.Promises = w.Promises
	}
	if w.Payload != nil {
		r.Payload = Payload{w.Payload.C, w.Payload.Bytes}
	}
	if p := w.Population; p != nil {
		r.Population = &Population{p.Expected, p.Seen, p.Errors}
	}
	for _, ref := range w.Refs {
		r.Refs = append(r.Refs, Ref{ref.Rel, ref.ID})
	}
	if w.Result != nil {
		r.Result = Result{State: w.Result.State, Metric: w.Result.Metric, Op: w.Result.Op}
		if w.Result.Value != nil {
			r.Result.Value = *w.Result.Value
		}
		if w.Result.Limit != nil {
			r.Result.Limit = *w.Result.Limit
		}
	}
	if w.Run != nil {
		r.Run = w.Run.Seq
	}
	for _, s := range w.Subjects {
		r.Subjects = append(r.Subjects, Subject{s.Type, s.C})
	}
	texts := []string{w.Expires, w.Source.Collected, w.Source.Observed}
	into := []*time.Time{&r.Expires, &r.Source.Collected, &r.Source.Observed}
	if w.Window != nil {
		texts, into = append(texts, w.Window.From, w.Window.To), append(into, &r.Window.From, &r.Window.To)
	}
	for i, text := range texts {
		if text == "" {
			continue
		}
		parsed, err := time.Parse(timeForm, text)
		if err != nil {
			return Record{}, refused("holds a time that is not in UTC with milliseconds")
		}
		*into[i] = parsed
	}
	return r, nil
}

package erasure

// Shows returns an item with what a query wants to be shown of it: the fields that are there and hold text. What another
// tenant's item holds is not shown.
func (q Query) Shows(i Item, text func(field string) string) Item {
	i.Shown = nil
	if len(q.Show) == 0 || i.Tenant != q.Tenant.ID {
		return i
	}
	i.Shown = map[string]string{}
	for _, field := range q.Show {
		if value := text(field); value != "" {
			i.Shown[field] = value
		}
	}
	return i
}

package rules

import "strings"

// clauses is a condition that names so many databases.
func clauses(n int) string {
	return strings.Repeat(`resource.name == "projects/p/databases/d" || `, n-1) + `resource.name == "projects/p/databases/e"`
}

// asks gives an alert an expression and the time that it has to hold.
func asks(e *edit, query, holds string) {
	for attribute, value := range map[string]string{"query": query, "duration": holds} {
		e.set(alert, `failing["registerip"]`, value, "conditions", "condition_prometheus_query_language", attribute)
	}
}

// plantedNames breaks the rules on what Google's services take.
var plantedNames = []planting{
	{"names", "an account's id is too short", func(e *edit) { e.set(account, "build", "build", "account_id") }},
	{"names", "an account's id is too long", func(e *edit) { e.set(account, "registerip", "fn-"+strings.Repeat("a", 28), "account_id") }},
	{"names", "an account's id ends with a hyphen", func(e *edit) { e.set(account, "registerip", "fn-registerip-", "account_id") }},
	{"names", "a role's title is too long", func(e *edit) { e.set(customOwn, "admit", strings.Repeat("a", 101), "title") }},
	{"names", "a bucket's name is too long", func(e *edit) { e.set(bucket, "inbox", strings.Repeat("b", 64), "name") }},
	{"names", "a bucket's name has a capital letter", func(e *edit) { e.set(bucket, "inbox", "Inbox", "name") }},
	{"names", "a bucket is called after Google", func(e *edit) { e.set(bucket, "inbox", "our-google-inbox", "name") }},
	{"names", "a topic's name is too short", func(e *edit) { e.set(topic, "lease.changed", "ab", "name") }},
	{"names", "a topic's name begins as those of Google do", func(e *edit) { e.set(topic, "lease.changed", "googly", "name") }},
	{"names", "a subscription's name holds a slash", func(e *edit) { e.set(push, "", "a/b.c", "name") }},
	{"names", "a job's name holds a dot", func(e *edit) { e.set(job, "", "tick.0", "name") }},
	{"names", "a secret's name holds a dot", func(e *edit) { e.set(secret, "", "form.key", "secret_id") }},
	{"names", "a backend's name is too long", func(e *edit) { e.set(backend, "", strings.Repeat("b", 64), "name") }},
	{"names", "a backend's name has an underscore", func(e *edit) { e.set(backend, "", "ostiary_registerip", "name") }},
	{"names", "a database's name is too short", func(e *edit) { e.set(database, "ledger", "led", "name") }},
	{"names", "a function's name is too long for Cloud Run", func(e *edit) { e.set(function, "registerip", strings.Repeat("f", 50), "name") }},
	{"names", "an alert's name is too long", func(e *edit) { e.set(alert, "", strings.Repeat("a", 513), "display_name") }},

	{"lookback", "an alert asks for figures of two days", func(e *edit) { asks(e, "max_over_time(x[2d]) > 0", "0s") }},
	{"lookback", "an alert asks for figures of the day before yesterday", func(e *edit) { asks(e, "max_over_time(x[1h] offset 1d) > 0", "0s") }},
	{"lookback", "an alert asks for a day that holds for another quarter of an hour", func(e *edit) { asks(e, "max_over_time(x[86400s]) > 0", "900s") }},

	{"condition", "a condition has more operators than IAM takes", func(e *edit) {
		e.set("google_project_iam_member", `"admit"]`, clauses(mostOperators+2), "condition", "expression")
	}},
	{"condition", "a condition has no title", func(e *edit) { e.set("google_project_iam_member", `"admit"]`, nil, "condition", "title") }},
	{"condition", "one role is granted under more conditions than IAM takes", func(e *edit) {
		for range mostConditions + 1 {
			e.add(account, "build", "google_project_iam_member", values{
				"project": "p", "role": "projects/p/roles/ostiary.admit.database_access", "member": "serviceAccount:fn-admit@p.iam.gserviceaccount.com",
				"condition": []any{values{"title": "only one", "expression": clauses(2)}},
			})
		}
	}},
}

// Package authorize holds tests about everything that answers HTTP: each route of each function, asked by each kind of
// caller, against the table docs/authorization.md; and what all of them have in common at the edge: headers, methods,
// origins, bodies, paths, caps.
//
// The table is what is promised. A route that is not in it fails by name, and so does a line without a route. What a
// function refuses beyond that, in which order and with which words, its own tests show.
package authorize

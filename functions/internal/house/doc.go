// Package house holds the tests that keep the tree in order: who may import what, what every function folder
// holds, which calls are banned, and that generated files are fresh. It has no code of its own.
package house

// Package house holds the tests that keep the tree in order: who may import what, what every function folder
// holds, which calls are banned, and that a manifest lists what the code needs. It has no code of its own.
package house

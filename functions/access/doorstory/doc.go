// Package doorstory tells days at each kind of door, through the functions of the access control as they are deployed, with the
// clock moved by hand: a folder, and the three doors on Google Cloud behind fakes that speak at the wire, keep a quota of writes,
// and decide about connections as the real ones do. It has no code of its own, and says nothing about the time that a real service
// takes.
package doorstory

// Package driftwalk goes through the pages of the drift control in a real Chromium, as the people do who are told of a
// difference, accept it for a while, and put it right. It holds tests only.
package driftwalk

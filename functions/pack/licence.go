package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// permitted are the licences under which sources of others may be passed on in an archive, by their SPDX identifiers, and a
// sentence that stands in no other of them. They ask for their own text and a notice, which every archive holds, and for nothing
// of what is built with them.
var permitted = []struct{ id, says string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"},
}

// Of the BSD licences the third clause tells which it is; the fourth of the oldest asks for advertising, which nobody here has read.
const (
	bsd         = "redistribution and use in source and binary forms, with or without modification, are permitted"
	endorsement = "may be used to endorse or promote products derived from this software without specific prior written permission"
	advertising = "all advertising materials mentioning features"
)

// terms are words that make a licence another one, whatever else the text says: it may not be passed on before a person has read it.
var terms = []string{advertising, "general public license", "mozilla public", "business source", "server side public", "commons clause", "non-commercial", "noncommercial", "eclipse public"}

// licencesOf are the licences that a module's files name, sorted. It fails where a module has none, or one that is not permitted.
func licencesOf(m *module) ([]string, error) {
	names, err := licences(m)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, name := range names {
		if upper := strings.ToUpper(name); strings.HasPrefix(upper, "NOTICE") || strings.HasPrefix(upper, "PATENTS") {
			continue // who wrote what, and a grant beside the licence
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("reading the licence of %s: %w", m.Path, err)
		}
		found, strange := licencesIn(string(text))
		if strange != "" || len(found) == 0 {
			return nil, fmt.Errorf("%s of the module %s is under no licence that may be passed on (%q): read it, and add it to licence.go or do without the module", name, m.Path, strange)
		}
		ids = append(ids, found...)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("the module %s has no licence: nobody may pass it on; ask its author, or do without it", m.Path)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// licencesIn are the permitted licences whose text stands in a file, and words of another that stand there.
func licencesIn(text string) (ids []string, strange string) {
	plain := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	for _, term := range terms {
		if strings.Contains(plain, term) {
			return nil, term
		}
	}
	for _, l := range permitted {
		if strings.Contains(plain, l.says) {
			ids = append(ids, l.id)
		}
	}
	switch {
	case strings.Contains(plain, bsd) && strings.Contains(plain, endorsement):
		ids = append(ids, "BSD-3-Clause")
	case strings.Contains(plain, bsd):
		ids = append(ids, "BSD-2-Clause")
	}
	return ids, ""
}

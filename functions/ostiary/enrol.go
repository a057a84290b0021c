package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/functions/ostiary/internal/local"
)

// enrol prints a link that lets a person set up one authenticator, and has her told.
func enrol(ctx context.Context, t terminal, args []string) int {
	if len(args) > 0 && slices.Contains(enrolWords, args[0]) {
		return enrolMore(ctx, t, args)
	}
	t.explain(enrolExits)
	data := t.flags.String("data", "data", "data folder")
	folder := t.flags.String("policy", "policy", "policy folder, when no server holds the data folder")
	server := t.flags.String("server", "", "URL of a running server; the one that holds the data folder by default")
	by := t.flags.String("by", "", "who of security asks; the first one of the policy by default")
	asJSON := t.flags.Bool("json", false, "print the link as JSON")
	if code := t.parse(args, 1); code >= 0 {
		return code
	}
	email := t.flags.Arg(0)
	url := strings.TrimSuffix(*server, "/")
	if url == "" {
		url = serverOf(*data)
	}
	var made local.Invitation
	var err error
	if url != "" {
		made, err = askServer(ctx, url, email, *by)
	} else {
		made, err = askFolder(ctx, t, *data, *folder, email, *by)
	}
	if err != nil {
		return t.fail(err)
	}
	made.Link = url + made.Link
	if *asJSON {
		text, err := json.Marshal(made)
		if err != nil {
			return t.fail(err)
		}
		fmt.Fprintf(t.out, "%s\n", text)
		return exitGood
	}
	fmt.Fprintf(t.out, "%s\n\nor the code alone: %s\nGood once, until %s. Hand it over by a way you trust; a notice of it has been sent.\n", made.Link, made.Code, made.Expires.Format(time.RFC3339))
	return exitGood
}

func askServer(ctx context.Context, url, email, by string) (made local.Invitation, err error) {
	err = (&connection{url: url}).ask(ctx, http.MethodPost, "/_local/enrol", map[string]string{"email": email, "by": by}, &made)
	return made, err
}

// askFolder opens the data folder for the length of one command.
func askFolder(ctx context.Context, t terminal, data, folder, email, by string) (made local.Invitation, err error) {
	world, err := openFolder(ctx, t, data, folder, "")
	if err != nil {
		return made, err
	}
	defer func() {
		if closed := world.Close(); err == nil {
			err = closed
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", http.NoBody)
	if err != nil {
		return made, err
	}
	if made, err = world.Invite(r, email, by); err != nil {
		return made, err
	}
	return made, world.Settle(ctx)
}

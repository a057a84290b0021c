package checkup

import (
	"context"
	"fmt"
	"slices"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// alarms looks whether somebody is told when something stands still: every alert is on and reaches a channel that works, and
// each function has those of its own, by the names that Terraform's module monitoring gives.
func alarms(_ context.Context, v *visit) {
	policies, channels := v.of(alertType), v.of(channelType)
	if len(policies) == 0 {
		if !v.failed[alertType] {
			v.wrong("alarms", "alerts", "there is none: whatever stops, nobody is told", "Apply the environment: the module monitoring makes them.")
		}
		return
	}
	good := reaching(v, "alarms", policies, channels, v.failed[channelType])
	for _, f := range v.functions {
		if _, is := v.there[f.Name]; !is {
			continue
		}
		wanted := []string{f.Name + " is failing"}
		if f.Freshness != "" {
			wanted = append(wanted, f.Name+" is missing")
		}
		for _, name := range wanted {
			if !slices.ContainsFunc(policies, func(a *asset.Asset) bool { return text(a.Data, "displayName") == name }) {
				v.wrong("alarms", f.Name, "there is no alert called “"+name+"”", "Apply the environment again: the module monitoring makes the alerts from the manifests.")
			}
		}
	}
	if good > 0 {
		v.ok("alarms", "alerts", fmt.Sprintf("%d alerts are on and reach somebody", good))
	}
}

// reaching counts the alerts that are on and reach a channel that is, and tells of the others.
func reaching(v *visit, area string, policies, channels []*asset.Asset, unread bool) (good int) {
	works := map[string]bool{}
	for _, c := range channels {
		works[text(c.Data, "name")] = c.Data["enabled"] != false && text(c.Data, "verificationStatus") != "UNVERIFIED"
	}
	for _, a := range policies {
		name := text(a.Data, "displayName")
		named, _ := a.Data["notificationChannels"].([]any)
		reached := slices.ContainsFunc(named, func(c any) bool { s, _ := c.(string); return works[s] })
		switch {
		case a.Data["enabled"] == false:
			v.wrong(area, name, "it is switched off", "Apply the environment again; if somebody snoozed it for good, find out why.")
		case len(named) == 0:
			v.wrong(area, name, "it tells nobody", "Name a channel in the environment's variables, and apply.")
		case !reached && unread:
			v.unsure(area, name, fault.New(fault.Denied, "whether its channels work was not read"))
		case !reached:
			v.wrong(area, name, "none of its channels is on and confirmed", "Confirm the channel: Cloud Monitoring sends a code to it.")
		default:
			good++
		}
	}
	return good
}

// watchdog looks at the project that notices when this one is silent.
func watchdog(ctx context.Context, v *visit) {
	if v.Watchdog == "" {
		v.unasked("watchdog: whether anybody notices when the whole project is silent; name its project with --watchdog")
		return
	}
	const host = "https://monitoring.googleapis.com/v3/projects/"
	read := func(field string) ([]*asset.Asset, error) {
		all, err := listed[asset.Object](ctx, v.wire, host+v.Watchdog+"/"+field+"?pageSize=1000", field)
		out := make([]*asset.Asset, 0, len(all))
		for _, data := range all {
			out = append(out, &asset.Asset{Data: data})
		}
		return out, err
	}
	probes, err := read("uptimeCheckConfigs")
	switch {
	case err != nil:
		v.unsure("watchdog", "uptime checks", err)
	case len(probes) == 0:
		v.wrong("watchdog", "uptime checks", "there is none: nobody notices when the site is gone", "Apply the environment: the module monitoring makes them in "+v.Watchdog+".")
	default:
		v.ok("watchdog", "uptime checks", fmt.Sprintf("%d look at the site from outside", len(probes)))
	}
	policies, err := read("alertPolicies")
	if err != nil {
		v.unsure("watchdog", "alerts", err)
		return
	}
	channels, unread := read("notificationChannels")
	if len(policies) == 0 {
		v.wrong("watchdog", "alerts", "there is none: when the whole project is silent, nobody is told", "Apply the environment: the module monitoring makes them in "+v.Watchdog+".")
	} else if good := reaching(v, "watchdog", policies, channels, unread != nil); good > 0 {
		v.ok("watchdog", "alerts", fmt.Sprintf("%d alerts are on and reach somebody", good))
	}
}

package config

import (
	"regexp"
	"slices"
	"strings"
)

// environ reads the variables ROSTER_*. Any that is no setting is a fault: a misspelt setting must not
// be silently without effect.
func (l *loader) environ() layer {
	known := keys(envOf)
	out := layer{}
	for _, entry := range slices.Sorted(slices.Values(l.in.Environ)) {
		variable, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(variable, envPrefix) {
			continue
		}
		name, ok := known[variable]
		switch {
		case ok:
			out[name] = given{value, variable, FromEnvironment}
		case !serviceLink(variable, value):
			l.fault("", variable, "unknown variable"+meant(variable, "", known))
		}
	}
	return l.secrets(out, envOf)
}

// serviceLinks are the variables that Kubernetes and Docker set in every container beside a service
// whose name begins with "roster". They are not misspelt settings.
var serviceLinks = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

func serviceLink(variable, value string) bool {
	return serviceLinks.MatchString(variable) || strings.HasSuffix(variable, "_PORT") && strings.Contains(value, "://")
}

package deploy

import (
	"encoding/json"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"roster/bootstrap/config"
)

var (
	joined      = regexp.MustCompile(`\\\n\s*`)
	instruction = regexp.MustCompile(`(?m)^([A-Z]+) +(.*)$`)
	assignment  = regexp.MustCompile(`(\w+)=(\S+)`)
)

// dockerfile checks the Dockerfile, and returns the environment of its image.
func (f *finding) dockerfile(files map[string]string) (env map[string]string) {
	const file = "Dockerfile"
	env = map[string]string{}
	last := map[string]string{} // of the last stage
	for _, m := range instruction.FindAllStringSubmatch(joined.ReplaceAllString(files[file], ""), -1) {
		switch words := strings.Fields(m[2]); m[1] {
		case "FROM":
			clear(last)
			image := words[slices.IndexFunc(words, func(w string) bool { return !strings.HasPrefix(w, "--") })]
			f.tagged(file, image)
		case "ADD":
			f.add(file, "ADD may fetch and unpack; use COPY")
		case "ENV":
			for _, a := range assignment.FindAllStringSubmatch(m[2], -1) {
				env[a[1]] = a[2]
			}
		}
		last[m[1]] = m[2]
	}
	if user, group, _ := strings.Cut(last["USER"], ":"); !number.MatchString(user) || !number.MatchString(group) || user == "0" {
		f.add(file, "USER %q is not a number above 0: Kubernetes cannot see that it is not root", last["USER"])
	}
	_, probe, _ := strings.Cut(last["HEALTHCHECK"], "CMD ")
	for _, text := range []string{last["ENTRYPOINT"], last["CMD"], probe} {
		var args []string
		if json.Unmarshal([]byte(text), &args) != nil || len(args) == 0 {
			f.add(file, "%q is not in the JSON form: the image has no shell", text)
		} else if args = slices.DeleteFunc(args, func(a string) bool { return strings.HasSuffix(a, "/roster") }); len(args) > 0 && !isCommand(args[0]) {
			f.add(file, "there is no command %q", args[0])
		}
	}
	cfg, err := settings(env)
	if err != nil {
		f.add(file, "%v", err)
	} else if _, port, _ := net.SplitHostPort(cfg.Listen); last["EXPOSE"] != port || cfg.DataDir != last["VOLUME"] {
		f.add(file, "port %s or volume %s is not that of the settings, %s and %s", last["EXPOSE"], last["VOLUME"], port, cfg.DataDir)
	}
	ignored := strings.Split(files[".dockerignore"], "\n")
	if slices.Contains(ignored, ".git") {
		f.add(".dockerignore", ".git is left out, and the version comes from it")
	}
	for _, secret := range []string{"data", "bin", "dist"} {
		if !slices.Contains(ignored, secret) {
			f.add(".dockerignore", "%s is not left out of the build", secret)
		}
	}
	return env
}

var number = regexp.MustCompile(`^\d+$`)

// substituted matches a variable of Compose, with what is after its colon.
var substituted = regexp.MustCompile(`\$\{\w+(?::([-?])([^}]*))?\}`)

// compose checks a Compose file and the configuration of its proxy. image is the environment of the image.
func (f *finding) compose(files map[string]string, file string, image map[string]string) {
	docs := f.documents(files, file)
	if len(docs) != 1 {
		f.add(file, "%d documents", len(docs))
		return
	}
	top := docs[0]
	services, _ := top.at("services").value.(map[string]any)
	for name, value := range services {
		s := node{value}
		f.tagged(file, s.at("image").text())
		for network := range s.at("networks").texts() {
			if _, ok := top.at("networks").texts()[network]; !ok {
				f.add(file, "%s: there is no network %s", name, network)
			}
		}
		for volume := range s.at("volumes").texts() {
			source, _, _ := strings.Cut(volume, ":")
			if path, ok := strings.CutPrefix(source, "./"); ok {
				if files["deploy/compose/"+path] == "" {
					f.add(file, "%s: there is no file %s", name, source)
				}
			} else if _, ok := top.at("volumes").texts()[source]; !ok {
				f.add(file, "%s: there is no volume %s", name, source)
			}
		}
		for port := range s.at("ports").texts() {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				f.add(file, "%s: port %s is open to other machines, without TLS", name, port)
			}
		}
		if name == "db" { // the images of databases do not run so
			continue
		}
		if s.at("read_only").text() != "true" || s.at("cap_drop").text() != "[ALL]" || s.at("security_opt").text() != "[no-new-privileges:true]" {
			f.add(file, "%s: read_only, cap_drop or security_opt is missing", name)
		}
	}
	roster := top.at("services", "roster")
	cfg, ok := f.environment(file, image, roster.at("environment").texts())
	if !ok {
		return
	}
	if grace, err := time.ParseDuration(roster.at("stop_grace_period").text()); err != nil || grace < stopping(cfg) {
		f.add(file, "stop_grace_period %s is shorter than a stop, %s", grace, stopping(cfg))
	}
	_, port, _ := net.SplitHostPort(cfg.Listen)
	const proxy = "deploy/compose/haproxy.cfg"
	if !strings.Contains(files[proxy], " roster:"+port+"\n") {
		f.add(proxy, "the instances are not at roster:%s", port)
	}
	if !strings.Contains(files[proxy], "httpchk GET /readyz\n") {
		f.add(proxy, "the health check is not of /readyz")
	}
	if cfg.ShutdownDelay < 3*time.Second { // two checks, a second apart
		f.add(file, "shutdown_delay is shorter than the proxy takes to notice")
	}
}

// environment returns the settings of an environment over that of the image.
func (f *finding) environment(file string, image, own map[string]string) (config.Config, bool) {
	env := maps.Clone(image)
	for name, value := range own {
		env[name] = substituted.ReplaceAllStringFunc(value, func(s string) string {
			if m := substituted.FindStringSubmatch(s); m[1] == "-" {
				return m[2]
			}
			return "given"
		})
	}
	cfg, err := settings(env)
	if err != nil {
		f.add(file, "%v", err)
	}
	return cfg, err == nil
}

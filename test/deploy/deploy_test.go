// Package deploy tests the files that install and run the service: what they name exists, and they keep rules of safety.
package deploy

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"roster/test/support/process"
)

func TestMain(m *testing.M) { process.Main(m) }

const root = "../.."

// sources returns the Dockerfile and the files below deploy, by their paths.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	tree := os.DirFS(root)
	add := func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, path)
		out[path] = string(text)
		return err
	}
	for _, path := range []string{"Dockerfile", ".dockerignore", "deploy"} {
		if err := fs.WalkDir(tree, path, add); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// finding collects what is wrong with the files.
type finding struct{ list []string }

func (f *finding) add(file, format string, args ...any) {
	f.list = append(f.list, file+": "+fmt.Sprintf(format, args...))
}

// check returns all that is wrong with the files.
func check(files map[string]string) []string {
	f := &finding{}
	image := f.dockerfile(files)
	for _, name := range []string{"postgres", "mongodb"} {
		f.compose(files, "deploy/compose/"+name+".yaml", image)
	}
	f.kubernetes(files, image)
	f.unit(files)
	f.names(files)
	return f.list
}

func TestFilesAreSound(t *testing.T) {
	for _, fault := range check(sources(t)) {
		t.Error(fault)
	}
}

// Each rule finds a fault that is planted in the files.
func TestPlantedFaultsAreFound(t *testing.T) {
	const kubernetes = "deploy/kubernetes/"
	for _, c := range []struct{ file, old, new, want string }{
		{"Dockerfile", "USER 65532:65532", "USER root", "USER"},
		{"Dockerfile", "distroless/static-debian12:nonroot", "distroless/static-debian12", "tag"},
		{"Dockerfile", "golang:1.26", "golang:latest", "tag"},
		{"Dockerfile", `CMD ["/usr/local/bin/roster", "health"]`, "CMD roster health", "JSON"},
		{"Dockerfile", "ROSTER_DATA_DIR=/data", "ROSTER_DATADIR=/data", "ROSTER_DATADIR"},
		{"Dockerfile", "EXPOSE 8000", "EXPOSE 80", "8000"},
		{"Dockerfile", `CMD ["serve"]`, `CMD ["run"]`, "run"},
		{".dockerignore", "bin\n", ".git\n", ".git"},
		{".dockerignore", "\ndata\n", "\n", "data"},
		{"deploy/compose/postgres.yaml", "image: postgres:17", "image: postgres", "tag"},
		{"deploy/compose/postgres.yaml", "SHUTDOWN_DELAY: 5s", "SHUTDOWN_DELAY: five", "SHUTDOWN_DELAY"},
		{"deploy/compose/postgres.yaml", "stop_grace_period: 35s", "stop_grace_period: 20s", "stop_grace_period"},
		{"deploy/compose/postgres.yaml", "    read_only: true\n    tmpfs", "    tmpfs", "read_only"},
		{"deploy/compose/mongodb.yaml", "networks: [front, back]", "networks: [front, bak]", "bak"},
		{"deploy/compose/mongodb.yaml", `volumes: ["data:/data"]`, `volumes: ["date:/data"]`, "date"},
		{"deploy/compose/mongodb.yaml", `["127.0.0.1:8080:8080"]`, `["8080:8080"]`, "8080"},
		{"deploy/compose/haproxy.cfg", "GET /readyz", "GET /ready", "readyz"},
		{"deploy/compose/haproxy.cfg", "roster:8000", "roster:80", "8000"},
		{kubernetes + "kustomization.yaml", "  - service.yaml\n", "", "service.yaml"},
		{kubernetes + "kustomization.yaml", "newTag: v0.0.0", "newTag: latest", "tag"},
		{kubernetes + "kustomization.yaml", "ROSTER_PUBLIC_URL=", "ROSTER_PUBLIC=", "ROSTER_PUBLIC"},
		{kubernetes + "deployment.yaml", "/readyz", "/ready", "/ready"},
		{kubernetes + "deployment.yaml", "containerPort: 8001", "containerPort: 8002", "8001"},
		{kubernetes + "deployment.yaml", "path: /livez, port: admin", "path: /livez, port: adm", "adm"},
		{kubernetes + "deployment.yaml", "PeriodSeconds: 35", "PeriodSeconds: 20", "terminationGracePeriodSeconds"},
		{kubernetes + "deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "readOnlyRootFilesystem"},
		{kubernetes + "deployment.yaml", "{type: Recreate}", "{type: RollingUpdate}", "Recreate"},
		{kubernetes + "deployment.yaml", "name: tmp, mountPath", "name: temp, mountPath", "temp"},
		{kubernetes + "deployment.yaml", "defaultMode: 0400", "defaultMode: 0444", "defaultMode"},
		{kubernetes + "deployment.yaml", "value: /run/secrets/roster}", "value: /run/secret/roster}", "/run/secret"},
		{kubernetes + "migration.yaml", "args: [migrate]", "args: [migrates]", "migrates"},
		{kubernetes + "migration.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"},
		{kubernetes + "migration.yaml", "automountServiceAccountToken: false", "", "automountServiceAccountToken"},
		{kubernetes + "migration.yaml", "drop: [ALL]", "drop: []", "capabilities"},
		{kubernetes + "service.yaml", "component: service", "component: migration", "targetPort"},
		{kubernetes + "disruption.yaml", "name: roster\n      app", "name: other\n      app", "selector"},
		{kubernetes + "network.yaml", "port: admin", "port: metrics", "metrics"},
		{"deploy/systemd/roster.service", "roster serve", "roster server", "server"},
		{"deploy/systemd/roster.service", "ROSTER_DATA_DIR", "ROSTER_DATA", "ROSTER_DATA"},
		{"deploy/systemd/roster.service", "TimeoutStopSec=60s", "TimeoutStopSec=20s", "TimeoutStopSec"},
		{"deploy/debian/roster.yaml", "listen: 127", "lisen: 127", "lisen"},
		{"deploy/debian/roster.yaml", "#public_url: https", "#public_address: https", "public_address"},
		{"deploy/debian/nfpm.yaml", "/etc/roster/roster.yaml", "/etc/roster/settings.yaml", "/etc/roster/roster.yaml"},
		{"deploy/debian/nfpm.yaml", "src: LICENSE", "src: LICENCE", "LICENCE"},
	} {
		files := sources(t)
		was := files[c.file]
		if files[c.file] = strings.Replace(was, c.old, c.new, 1); files[c.file] == was {
			t.Errorf("%s has no %q", c.file, c.old)
			continue
		}
		if found := check(files); !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.want) }) {
			t.Errorf("%s: %q instead of %q is not found: %q", c.file, c.new, c.old, found)
		}
	}
}

var variable = regexp.MustCompile(`ROSTER_[A-Z_]+`)

// names checks that every setting named anywhere exists.
func (f *finding) names(files map[string]string) {
	known := variables()
	for path, text := range files {
		for _, name := range variable.FindAllString(text, -1) {
			if !known[name] {
				f.add(path, "%s is no setting", name)
			}
		}
	}
}

// tagged checks that an image has a tag that does not move with each release.
func (f *finding) tagged(file, image string) {
	name, tag, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	if tag == "" || tag == "latest" {
		f.add(file, "the image %s has no tag but latest", name)
	}
}

// documents returns the YAML documents of a file.
func (f *finding) documents(files map[string]string, file string) (docs []node) {
	dec := yaml.NewDecoder(strings.NewReader(files[file]))
	dec.KnownFields(true)
	for {
		var d any
		if err := dec.Decode(&d); err != nil {
			if err.Error() != "EOF" {
				f.add(file, "%v", err)
			}
			return docs
		}
		docs = append(docs, node{d})
	}
}

// node is a value of a YAML document.
type node struct{ value any }

// at returns the value at a path of members, or the zero node.
func (n node) at(path ...string) node {
	for _, name := range path {
		m, _ := n.value.(map[string]any)
		n = node{m[name]}
	}
	return n
}

func (n node) text() string {
	if n.value == nil {
		return ""
	}
	return fmt.Sprint(n.value)
}

func (n node) list() (out []node) {
	items, _ := n.value.([]any)
	for _, item := range items {
		out = append(out, node{item})
	}
	return out
}

// texts returns the texts of a mapping, or of a list by themselves.
func (n node) texts() map[string]string {
	out := map[string]string{}
	if m, ok := n.value.(map[string]any); ok {
		for name, value := range m {
			out[name] = node{value}.text()
		}
	}
	for _, item := range n.list() {
		out[item.text()] = item.text()
	}
	return out
}

// exists reports whether a file of the repository exists.
func exists(path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
}

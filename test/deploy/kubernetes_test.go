package deploy

import (
	"net"
	"path"
	"strings"
	"time"

	"roster/bootstrap/config"
)

const kubernetesDir = "deploy/kubernetes/"

// kubernetes checks the base of kustomize. image is the environment of the image.
func (f *finding) kubernetes(files map[string]string, image map[string]string) {
	const main = kubernetesDir + "kustomization.yaml"
	top := node{}
	if docs := f.documents(files, main); len(docs) == 1 {
		top = docs[0]
	}
	listed := top.at("resources").texts()
	byKind := map[string]node{}
	for file := range files {
		name, in := strings.CutPrefix(file, kubernetesDir)
		if !in || file == main {
			continue
		}
		for _, doc := range f.documents(files, file) {
			if doc.at("apiVersion").text() == "" || doc.at("metadata", "name").text() == "" {
				f.add(file, "a resource has no apiVersion or no name")
			}
			byKind[doc.at("kind").text()] = doc
		}
		if _, ok := listed[name]; !ok && !strings.Contains(name, ".example.") {
			f.add(main, "%s is not among the resources", name)
		}
	}
	shared := map[string]string{}
	for _, g := range top.at("configMapGenerator").list() {
		for pair := range g.at("literals").texts() {
			key, value, _ := strings.Cut(pair, "=")
			shared[key] = value
		}
	}
	for _, i := range top.at("images").list() {
		f.tagged(main, i.at("newName").text()+":"+i.at("newTag").text())
	}
	f.pod(kubernetesDir+"migration.yaml", byKind["Job"].at("spec", "template"), image, shared)
	deployment := byKind["Deployment"]
	f.service(files, deployment, byKind, f.pod(kubernetesDir+"deployment.yaml", deployment.at("spec", "template"), image, shared))
}

// pod checks the template of a pod, and returns its settings.
func (f *finding) pod(file string, template node, image, shared map[string]string) config.Config {
	spec := template.at("spec")
	for _, rule := range []struct {
		path []string
		want string
	}{
		{[]string{"serviceAccountName"}, "roster"},
		{[]string{"automountServiceAccountToken"}, "false"},
		{[]string{"securityContext", "runAsNonRoot"}, "true"},
		{[]string{"securityContext", "fsGroup"}, "65532"},
		{[]string{"securityContext", "seccompProfile", "type"}, "RuntimeDefault"},
	} {
		if got := spec.at(rule.path...).text(); got != rule.want {
			f.add(file, "%s is %q, want %s", strings.Join(rule.path, "."), got, rule.want)
		}
	}
	volumes := map[string]node{}
	for _, v := range spec.at("volumes").list() {
		volumes[v.at("name").text()] = v
		// Roster refuses a secret that other users can read.
		if v.at("secret").value != nil && v.at("secret", "defaultMode").text() != "256" {
			f.add(file, "defaultMode of the secret is not 0400")
		}
	}
	containers := spec.at("containers").list()
	if len(containers) != 1 {
		f.add(file, "%d containers", len(containers))
		return config.Config{}
	}
	c := containers[0]
	security := c.at("securityContext")
	if security.at("readOnlyRootFilesystem").text() != "true" || security.at("allowPrivilegeEscalation").text() != "false" {
		f.add(file, "readOnlyRootFilesystem or allowPrivilegeEscalation is missing")
	}
	if security.at("capabilities", "drop").text() != "[ALL]" {
		f.add(file, "capabilities are not dropped")
	}
	if c.at("resources", "limits", "memory").text() == "" || c.at("image").text() != "roster" {
		f.add(file, "no limit of memory, or the image is not roster, which kustomize replaces")
	}
	if args := c.at("args").list(); len(args) != 1 || !isCommand(args[0].text()) {
		f.add(file, "there is no command %s", c.at("args").text())
	}
	mounts := map[string]bool{}
	for _, m := range c.at("volumeMounts").list() {
		mounts[m.at("mountPath").text()] = true
		if _, ok := volumes[m.at("name").text()]; !ok {
			f.add(file, "there is no volume %s", m.at("name").text())
		}
	}
	own := map[string]string{}
	for name, value := range shared {
		own[name] = value
	}
	for _, e := range c.at("env").list() {
		name, value := e.at("name").text(), e.at("value").text()
		own[name] = value
		if strings.HasPrefix(value, "/") && !mounts[value] && !mounts[path.Dir(value)] {
			f.add(file, "%s names %s, where nothing is mounted", name, value)
		}
	}
	cfg, _ := f.environment(file, image, own)
	return cfg
}

// service checks the deployment, whose settings are cfg, and what selects its pods.
func (f *finding) service(files map[string]string, deployment node, byKind map[string]node, cfg config.Config) {
	const file = kubernetesDir + "deployment.yaml"
	if deployment.at("spec", "strategy", "type").text() != "Recreate" {
		f.add(file, "the strategy is not Recreate, and two versions would use one database")
	}
	spec := deployment.at("spec", "template", "spec")
	var grace time.Duration
	if n, ok := spec.at("terminationGracePeriodSeconds").value.(int); ok {
		grace = time.Duration(n) * time.Second
	}
	if grace < stopping(cfg) {
		f.add(file, "terminationGracePeriodSeconds %s is shorter than a stop, %s", grace, stopping(cfg))
	}
	ports := map[string]string{}
	for _, c := range spec.at("containers").list() {
		for _, p := range c.at("ports").list() {
			ports[p.at("name").text()] = p.at("containerPort").text()
		}
		for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
			get := c.at(probe, "httpGet")
			if !probes[get.at("path").text()] || ports[get.at("port").text()] == "" {
				f.add(file, "%s asks for %s at port %s", probe, get.at("path").text(), get.at("port").text())
			}
		}
	}
	for name, address := range map[string]string{"http": cfg.Listen, "admin": cfg.AdminListen} {
		if host, port, _ := net.SplitHostPort(address); ports[name] != port || host != "0.0.0.0" {
			f.add(file, "the port %s is %s, and the service listens on %s", name, ports[name], address)
		}
	}
	labels := deployment.at("spec", "template", "metadata", "labels").texts()
	for what, selector := range map[string]node{
		"deployment.yaml": deployment.at("spec", "selector", "matchLabels"),
		"service.yaml":    byKind["Service"].at("spec", "selector"),
		"disruption.yaml": byKind["PodDisruptionBudget"].at("spec", "selector", "matchLabels"),
		"network.yaml":    byKind["NetworkPolicy"].at("spec", "podSelector", "matchLabels"),
	} {
		chosen := selector.texts()
		if len(chosen) == 0 {
			f.add(kubernetesDir+what, "no selector")
		}
		for name, value := range chosen {
			if labels[name] != value {
				f.add(kubernetesDir+what, "the selector %s=%s does not match the pods, so that no targetPort or rule applies", name, value)
			}
		}
	}
	used := byKind["Service"].at("spec", "ports").list()
	for _, rule := range byKind["NetworkPolicy"].at("spec", "ingress").list() {
		used = append(used, rule.at("ports").list()...)
	}
	for _, p := range used {
		name := p.at("targetPort").text()
		if name == "" {
			name = p.at("port").text()
		}
		if ports[name] == "" {
			f.add(kubernetesDir, "there is no port %s", name)
		}
	}
}

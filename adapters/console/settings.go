package console

import (
	"net/http"

	"roster/ports/inbound"
)

const settingsPath = "settings/"

var settingsRoutes = []route{{http.MethodGet, settingsPath, (*server).showSettings, false}}

// settingGroup is the settings below one heading.
type settingGroup struct {
	name     string
	settings []inbound.SettingValue
}

func (s *server) showSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	about, err := s.Overview.About(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	var groups []settingGroup
	for _, of := range about.Settings {
		if len(groups) == 0 || groups[len(groups)-1].name != of.Group {
			groups = append(groups, settingGroup{name: of.Group})
		}
		last := &groups[len(groups)-1]
		last.settings = append(last.settings, of)
	}
	return s.show(r.Context(), w, v, page{title: "Settings", section: settingsPath, body: settingsPage(about, groups)})
}

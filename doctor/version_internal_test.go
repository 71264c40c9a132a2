package doctor

import "testing"

func TestOutdated(t *testing.T) {
	t.Parallel()
	for version, want := range map[int]string{140013: "14.14", 140014: "", 150008: "15.9", 150018: "", 160004: "16.5", 160005: "", 170000: "17.1", 170001: "", 180000: "", 180004: ""} {
		if got := outdated(version); got != want {
			t.Errorf("%d: %q, want %q", version, got, want)
		}
	}
	findings, err := serverVersion(t.Context(), &exam{facts: facts{version: 150008, name: "15.8"}})
	if err != nil || len(findings) != 1 || findings[0].Severity != Warning {
		t.Errorf("%+v, %v", findings, err)
	}
}

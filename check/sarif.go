package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
)

// The parts of SARIF 2.1.0 that a report has: those that the standard requires, and those
// that code scanning shows.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string             `json:"id"`
		ShortDescription     sarifMessage       `json:"shortDescription"`
		FullDescription      sarifMessage       `json:"fullDescription"`
		Help                 sarifMessage       `json:"help"`
		DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level Severity `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex *int            `json:"ruleIndex,omitempty"`
		Level     Severity        `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// noFile stands for the file of a finding that has none, such as one about a migration in a
// program: code scanning refuses a whole log for one result without a location.
const noFile = "in no file"

// WriteSARIF writes the findings as a log of SARIF 2.1.0, which code scanning reads. Their
// files must be relative to the repository.
func (r *Report) WriteSARIF(w io.Writer) error {
	rules := Rules()
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "cotenant", Rules: []sarifRule{}}}, ColumnKind: "unicodeCodePoints",
		Results: []sarifResult{},
	}
	for _, rule := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.Name, ShortDescription: sarifMessage{rule.About}, FullDescription: sarifMessage{rule.Reason},
			Help: sarifMessage{rule.Cure}, DefaultConfiguration: sarifConfiguration{rule.Severity},
		})
	}
	for _, f := range r.Findings {
		result := sarifResult{RuleID: f.Rule, Level: f.Severity, Message: sarifMessage{fmt.Sprintf("%s\nReason: %s\nCure: %s", f.Message, f.Reason, f.Cure)}}
		if i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == f.Rule }); i >= 0 {
			result.RuleIndex = &i
		}
		place := sarifPhysical{ArtifactLocation: sarifArtifact{(&url.URL{Path: cmp.Or(f.File, noFile)}).String(), "%SRCROOT%"}}
		if f.Line > 0 {
			place.Region = &sarifRegion{f.Line}
		}
		result.Locations = []sarifLocation{{place}}
		run.Results = append(run.Results, result)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

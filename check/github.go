package check

import (
	"fmt"
	"io"
	"strings"
)

// WriteGitHub writes the findings as workflow commands, which GitHub shows at the lines of a
// pull request. Their files must be relative to the repository.
//
//	::error file=apps/shop/migrations/0002_index.sql,line=3,title=index-blocks-writes::…
func (r *Report) WriteGitHub(w io.Writer) error {
	var text strings.Builder
	for _, f := range r.Findings {
		var properties []string
		if f.File != "" {
			properties = append(properties, "file="+escape(f.File, true))
			if f.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d", f.Line))
			}
		}
		properties = append(properties, "title="+escape(f.Rule, true))
		message := fmt.Sprintf("%s\nreason: %s\ncure: %s", f.Message, f.Reason, f.Cure)
		fmt.Fprintf(&text, "::%s %s::%s\n", f.Severity, strings.Join(properties, ","), escape(message, false))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// escape writes a text so that it ends neither the line nor, as a property, itself.
func escape(text string, property bool) string {
	text = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
	if property {
		text = strings.NewReplacer(":", "%3A", ",", "%2C").Replace(text)
	}
	return text
}

{{- define "fusionsolar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for the numbers and names that stand behind it. */}}
{{- define "fusionsolar.fullname" -}}
{{- $name := include "fusionsolar.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "fusionsolar.selector" -}}
app.kubernetes.io/name: {{ include "fusionsolar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "fusionsolar.labels" -}}
{{ include "fusionsolar.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "fusionsolar.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "fusionsolar.configSecret" -}}
{{- default (printf "%s-config" (include "fusionsolar.fullname" .)) .Values.existingSecret -}}
{{- end -}}

{{/* Not empty if state is in PostgreSQL. */}}
{{- define "fusionsolar.database" -}}
{{- or .Values.database.url .Values.database.existingSecret -}}
{{- end -}}

{{/* Of a path; where users are asked for, or TLS is spoken, only whether the port is open. */}}
{{- define "fusionsolar.probe" -}}
{{- if (first .).Values.webConfig -}}
tcpSocket: {port: http}
{{- else -}}
httpGet: {path: {{ last . }}, port: http}
{{- end -}}
{{- end -}}

{{/* Of the configuration without what is secret: pods are read by more people than Secrets. */}}
{{- define "fusionsolar.checksum" -}}
{{- $accounts := list -}}
{{- range .Values.config.accounts -}}
{{- $accounts = append $accounts (omit . "password" "auth") -}}
{{- end -}}
{{- merge (dict "accounts" $accounts) (omit .Values.config "accounts") | toYaml | sha256sum -}}
{{- end -}}

{{/* Measured: benchmarks/README.md, docs/scaling.md. Without a limit of the processor, as one would
     only delay the pages. */}}
{{- define "fusionsolar.resources" -}}
{{- $of := dict
  "small" (dict "cpu" "20m" "memory" "128Mi" "limit" "256Mi")
  "medium" (dict "cpu" "100m" "memory" "256Mi" "limit" "512Mi")
  "large" (dict "cpu" "500m" "memory" "768Mi" "limit" "1536Mi") -}}
{{- if .Values.resources -}}
{{ toYaml .Values.resources }}
{{- else -}}
{{- with get $of .Values.fleet -}}
requests: {cpu: {{ .cpu }}, memory: {{ .memory }}}
limits: {memory: {{ .limit }}}
{{- end -}}
{{- end -}}
{{- end -}}

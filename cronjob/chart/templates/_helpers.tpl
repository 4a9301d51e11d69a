{{/* Name of what the release makes in its namespace; a CronJob's has at most 52 characters. */}}
{{- define "cas-backup.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Name of what it makes elsewhere: another namespace may have a release of the same name, and no
namespace has a dot.
*/}}
{{- define "cas-backup.wideName" -}}
{{- $name := include "cas-backup.name" . -}}
{{- if eq $name .Release.Namespace -}}{{ $name }}{{- else -}}{{ printf "%s.%s" .Release.Namespace $name }}{{- end -}}
{{- end -}}

{{- define "cas-backup.image" -}}
{{- default (printf "%s:%s" .Chart.Name .Chart.AppVersion) .Values.image -}}
{{- end -}}

{{- define "cas-backup.ownerSecret" -}}
{{- default (printf "%s-owner" (include "cas-backup.name" .)) .Values.ownerSecret -}}
{{- end -}}

{{/* What gives a pod SGX, as `sgx_resource` of the settings; nothing where that is the default. */}}
{{- define "cas-backup.sgx" -}}
{{- $plugin := .Values.useSGXDevPlugin -}}
{{- if eq $plugin "scone" -}}
name: sgx.k8s.io/sgx
quantity: 1
{{- else if eq $plugin "azure" -}}
name: kubernetes.azure.com/sgx_epc_mem_in_MiB
quantity: {{ required "useSGXDevPlugin azure needs sgxEpcMem" .Values.sgxEpcMem }}
{{- else if eq $plugin "disabled" -}}
quantity: 0
{{- end -}}
{{- end -}}

{{/* The instance, as it is in the settings. */}}
{{- define "cas-backup.instance" -}}
{{- coalesce .Values.backupName .Values.settings.instance (include "cas-backup.name" . | trunc 40 | trimSuffix "-") -}}
{{- end -}}

{{/* Values that are settings, at their places in the settings. */}}
{{- define "cas-backup.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- if .Values.cas }}{{ $_ := set $settings "cas" .Values.cas }}{{ end -}}
{{- $_ := set $settings "instance" (include "cas-backup.instance" .) -}}
{{- if .Values.session -}}
{{- $_ := set $settings "registration" (merge (dict "session" .Values.session) (default dict $settings.registration)) -}}
{{- end -}}
{{- $sources := list -}}
{{- range $source := default (list (dict "plugin" "kubernetes")) $settings.discovery -}}
{{- if eq $source.plugin "kubernetes" -}}
{{- $own := fromYaml (include "cas-backup.source" $) -}}
{{- $source = merge (deepCopy $source) $own -}}
{{- end -}}
{{- $sources = append $sources $source -}}
{{- end -}}
{{- $_ := set $settings "discovery" $sources -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* What values say of the cluster's nodes; what the settings themselves say of a source is before it. */}}
{{- define "cas-backup.source" -}}
{{- if .Values.backupImage }}
image: {{ .Values.backupImage | quote }}
{{- end }}
{{- with include "cas-backup.sgx" . }}
sgx_resource:
  {{- . | nindent 2 }}
{{- end }}
{{- if .Values.las.enabled }}
las:
  namespace: {{ .Values.las.namespace | quote }}
  selector: {{ .Values.las.selector | quote }}
{{- end }}
{{- if .Values.events.enabled }}
events: true
{{- end }}
{{- if .Values.label.enabled }}
label: true
{{- end }}
{{- end -}}

{{/* The container's resources: with a session its CLI is an enclave. */}}
{{- define "cas-backup.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- if and .Values.session (ne .Values.useSGXDevPlugin "disabled") -}}
{{- $sgx := default (dict "name" "sgx.intel.com/enclave" "quantity" 1) (fromYaml (include "cas-backup.sgx" .)) -}}
{{- $limits := default dict $resources.limits -}}
{{- $_ := set $limits $sgx.name $sgx.quantity -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

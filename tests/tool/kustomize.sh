#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is below cronjob/ can be built by kustomize: each component alone and all together, from a
# copy elsewhere and from a repository, for any namespace, and two instances have nothing in common.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"
shared=${SHARED:-$srcdir/../shared} # where it has a checker, what is built is checked by the API's schemas
checker=$shared/tools/manifest-check
components=$(cd "$srcdir/cronjob" && grep -l '^kind: Component' ./*/kustomization.yaml | cut -d / -f 2)
digest=sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3

# Components came with kustomize 3.7, which is in kubectl since 1.21.
if ! kubectl version --client 2>/dev/null | grep -q '^Kustomize Version: v[4-9]' ||
    ! /usr/bin/python3 -c 'import yaml' 2>/dev/null; then
    echo '1..0 # SKIP no kubectl with kustomize, or no yaml for Python'
    exit 0
fi

# instance FOLDER NAMESPACE SUFFIX CRONJOB COMPONENT...: an instance's own folder, with cronjob/ at CRONJOB.
instance() {
    folder=$work/$1 namespace=$2 suffix=$3 from=$4
    shift 4
    mkdir -p "$folder"
    echo 'instance: other' >"$folder/settings.yaml"
    cat >"$folder/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $namespace
nameSuffix: $suffix
resources: ["$from/base$query"]
components: [$(for component; do printf '"%s/%s%s",' "$from" "$component" "$query"; done)]
images: [{name: cas-backup, newName: registry.example/cas-backup, newTag: "1", digest: "$digest"}]
configMapGenerator:
  - {name: cas-backup-settings, behavior: replace, files: [settings.yaml]}
YAML
}
query=

# checked FILE: valid for the API, as far as that can be asked
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || checker=
checked() {
    [ ! -x "$checker" ] || "$checker" "$1" >"$work/out"
}
# build FOLDER FILE [SUFFIX [OTHER...]]: builds it, into FILE, and checks what it is.
build() {
    kubectl kustomize "$1" >"$2" 2>"$work/err" && checked "$2" || return
    shift
    "$srcdir/tests/tool/refs" "$@" >"$work/out" 2>"$work/err"
}

cp -r "$srcdir/cronjob" "$work/"
build "$srcdir/cronjob/base" "$work/base.yaml"
ok $? 'cronjob/base is valid as it is'
version=$("$program" --version | grep -o '[0-9]*\.[0-9]*\.[0-9]*' | head -n 1)
grep -q "image: cas-backup:$version\$" "$work/base.yaml"
ok $? "its image is that of this version, $version"
for folder in las events; do
    kubectl kustomize "$srcdir/cronjob/$folder" >"$work/$folder.yaml" 2>"$work/err" && checked "$work/$folder.yaml" &&
        [ "$(grep -c '^  namespace: default' "$work/$folder.yaml")" = 2 ]
    ok $? "cronjob/$folder is valid as it is"
done
sed -n '/^#   namespace/,/value:/s/^#   //p' "$srcdir/cronjob/las/kustomization.yaml" |
    sed 's#\.\./las#../cronjob/las#' >"$work/las.kustomization"
mkdir "$work/other-las"
cp "$work/las.kustomization" "$work/other-las/kustomization.yaml"
kubectl kustomize "$work/other-las" >"$work/out" 2>"$work/err"
[ "$(grep -c '^  namespace: scone-system' "$work/out")" = 2 ] &&
    grep -A2 '^- kind: ServiceAccount' "$work/out" | tr -d '\n' |
    grep -q 'name: cas-backup-b  namespace: cas-backup-b'
ok $? 'and as its comment says for another namespace and instance'

build "$srcdir/cronjob/events" "$work/events.yaml"
[ "$(grep -c '^  namespace: default' "$work/events.yaml")$(grep -c '^  namespace: kube-system' "$work/events.yaml")" = 22 ]
ok $? 'cronjob/events is valid as it is'
mkdir "$work/other-events"
sed -n '/^#   nameSuffix/,/value:/s/^#   //p' "$srcdir/cronjob/events/kustomization.yaml" |
    sed 's#\.\./events#../cronjob/events#' >"$work/other-events/kustomization.yaml"
kubectl kustomize "$work/other-events" >"$work/out" 2>"$work/err"
[ "$(grep -c '^  namespace: default' "$work/out")" = 2 ] &&
    grep -A2 '^- kind: ServiceAccount' "$work/out" | tr -d '\n' |
    grep -q 'name: cas-backup-b  namespace: cas-backup-b'
ok $? 'and as its comment says for another instance'

for component in $components; do
    instance "with-$component" elsewhere -x ../cronjob "$component"
    build "$work/with-$component" "$work/built.yaml" -x "$work/base.yaml"
    ok $? "the component $component, in another namespace and with a suffix"
done
# shellcheck disable=SC2086 # one word a component
instance all elsewhere -x ../cronjob $components
build "$work/all" "$work/all.yaml" -x "$work/base.yaml"
ok $? "all components together"
grep -q "image: registry.example/cas-backup:1@$digest" "$work/all.yaml" &&
    grep -q 'instance: other' "$work/all.yaml" && ! grep -q 'namespace: cas-backup$' "$work/all.yaml"
ok $? 'with the image by tag and digest, settings and namespace of its own'
instance label elsewhere -x ../cronjob label
sed -n '/^#   patches:/,/value:/s/^#   //p' "$srcdir/cronjob/label/kustomization.yaml" >>"$work/label/kustomization.yaml"
build "$work/label" "$work/label.yaml" -x
grep -q '^    cas-backup/instance: prod$' "$work/label.yaml" &&
    grep -A3 '^  paramRef:' "$work/label.yaml" | tr -d '\n' | grep -q 'name: cas-backup-x    namespace: elsewhere'
ok $? 'the policy of cronjob/label is told the ServiceAccount, and by it the instance'
instance first shared -first ../cronjob
instance second shared -second ../cronjob
build "$work/first" "$work/first.yaml" -first
build "$work/second" "$work/second.yaml" -second "$work/first.yaml" "$work/base.yaml"
ok $? 'two instances in one namespace have no object in common, and no Secret'

if git --version >/dev/null 2>&1; then
    mkdir "$work/repo"
    cp -r "$srcdir/cronjob" "$work/repo/"
    (cd "$work/repo" && git init -q && git add . &&
        git -c user.name=x -c user.email=x@example.org commit -q -m x) >"$work/out" 2>&1
    query='?ref=HEAD'
    # shellcheck disable=SC2086 # one word a component
    instance remote elsewhere -x "file://$work/repo//cronjob" $components
    build "$work/remote" "$work/remote.yaml" -x && diff "$work/all.yaml" "$work/remote.yaml" >"$work/out"
    ok $? 'the same from a repository'
fi
finish

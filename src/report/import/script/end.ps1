
# What one call after the other answers.
foreach ($call in $calls) {
    if ($call.File -like '*<id>*') { continue }
    $saved[$call.File] = @(Save-GraphOrNote $call $call.Uri $call.File)
}

# What is asked about each object, but for groups.
foreach ($call in $calls) {
    if ($call.File -notlike '*<id>*' -or $call.File -like 'graph/groups/*') { continue }
    $list = ($call.File -split '/<id>/')[0] + '.json'
    $saved[$call.File] = @(foreach ($object in $saved[$list]) {
        $id = Get-Field $object 'id'
        Save-GraphOrNote $call $call.Uri.Replace('<id>', $id) $call.File.Replace('<id>', $id)
    })
}
# Where the assignments of a role cannot be asked for, the definitions have them.
$ofRoles = $account['graph/roleDefinitions/<id>/roleAssignments.json']
if ($ofRoles -and $ofRoles.state -eq 'failed') {
    $roles = $calls | Where-Object { $_.File -eq 'graph/roleDefinitions.json' }
    $finished.Remove($roles.File)
    $account.Remove($roles.File)
    $null = Save-Graph $roles "$($roles.Uri)?`$expand=roleAssignments" $roles.File
    $account.Remove('graph/roleDefinitions/<id>/roleAssignments.json')
}

$sids = @{}
foreach ($site in $Providers.Keys) {
    foreach ($class in $classes) {
        $rows = @(Save-ClassOrNote $site $class)
        if ($class.Name -ne 'SMS_Admin') { continue }
        foreach ($row in $rows) {
            $sid = Get-Field $row 'AdminSid'
            if ($sid) { $sids[$sid] = $true }
        }
    }
}

# The groups that give something: assigned ones, those that have a role of Microsoft Entra or may activate one, and
# administrative users of Configuration Manager; and the groups in them.
$groups = @{}
foreach ($group in $saved['graph/groups.json']) { $groups[(Get-Field $group 'id')] = $group }
$open = New-Object 'Collections.Generic.Queue[string]'
foreach ($row in $saved['graph/roleAssignments.json']) {
    foreach ($id in @(Get-Field $row 'members')) { if ($id) { $open.Enqueue($id) } }
}
foreach ($row in $saved['graph/directoryRoles/<id>/members.json']) { $open.Enqueue((Get-Field $row 'id')) }
foreach ($row in $saved['graph/roleEligibilityScheduleInstances.json']) { $open.Enqueue((Get-Field $row 'principalId')) }
foreach ($id in @($groups.Keys)) {
    $sid = Get-Field $groups[$id] 'onPremisesSecurityIdentifier'
    if ($AllGroups -or ($sid -and $sids[$sid])) { $open.Enqueue($id) }
}
$seen = @{}
while ($open.Count) {
    $id = $open.Dequeue()
    if (-not $id -or -not $groups.ContainsKey($id) -or $seen[$id]) { continue }
    $seen[$id] = $true
    foreach ($call in $calls) {
        if ($call.File -notlike 'graph/groups/<id>/*') { continue }
        foreach ($row in @(Save-GraphOrNote $call $call.Uri.Replace('<id>', $id) $call.File.Replace('<id>', $id))) {
            $member = Get-Field $row 'principalId'
            if (-not $member) { $member = Get-Field $row 'id' }
            if ($member) { $open.Enqueue($member) }
        }
    }
}

$collected = @{
    version = 1
    program = 'collect.ps1'
    startedAt = $started
    finishedAt = Get-Moment
    cloud = $Environment
    isPseudonymized = $false
    calls = @($account.Values | Sort-Object { $_.export })
}
Save-Text (Join-Path $Out 'collected.json') (ConvertTo-Json -Depth 5 -InputObject $collected)
Remove-Item -Force -ErrorAction SilentlyContinue $done
$collected.calls | ForEach-Object { New-Object PSObject -Property $_ } | Format-Table export, state, files, rows -AutoSize | Out-Host
Write-Host "$retries requests were repeated. Left to you: $Out/tenant.json, and $Out/devices.csv from the admin center."

# Where the assignments of a role cannot be asked for, the definitions have them.
if ($failed -like 'graph/roleDefinitions/*') {
    $null = Save-Graph "beta/deviceManagement/roleDefinitions?`$expand=roleAssignments" 'graph/roleDefinitions.json'
}

# The groups that give something: assigned ones, those that have a role of Microsoft Entra or may activate one, and
# administrative users of Configuration Manager; and the groups in them.
$groups = @{}
foreach ($group in $saved['graph/groups.json']) { $groups[$group.id] = $group }
$sids = @($saved['SMS_Admin'].AdminSid)
$open = [Collections.Queue]::new()
foreach ($id in $saved['graph/roleAssignments.json'].members) { $open.Enqueue($id) }
foreach ($id in $saved['graph/directoryRoles/<id>/members.json'].id) { $open.Enqueue($id) }
foreach ($id in $saved['graph/roleEligibilityScheduleInstances.json'].principalId) { $open.Enqueue($id) }
foreach ($group in $groups.Values) {
    $sid = $group.onPremisesSecurityIdentifier
    if ($sid -and $sids -contains $sid) { $open.Enqueue($group.id) }
}
$seen = @{}
while ($open.Count) {
    $id = $open.Dequeue()
    if (-not $id -or -not $groups[$id] -or $seen[$id]) { continue }
    $seen[$id] = $true
    $found = @()

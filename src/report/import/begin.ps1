# Collects what `tarbac import` reads, in the folder -Out. Written by `tarbac import --how --script`.
#
#   ./collect.ps1 -Out exports -Providers @{ P01 = 'the host of the SMS Provider of P01' }
#
# It takes the module Microsoft.Graph.Authentication, somebody who may consent to the permissions below, and on each
# SMS Provider the security role Read-only Analyst for all scopes and collections. It changes nothing there, and fills
# folders that are not there yet. tenant.json and devices.csv are left to you: `tarbac import --how` says where they
# come from.
param(
    [string] $Out = 'exports',
    # The host of the SMS Provider of each hierarchy, by its site code.
    [hashtable] $Providers = @{}
)

$ErrorActionPreference = 'Stop'
foreach ($part in 'graph', 'configmgr') {
    # What an earlier run has left would be taken for what is so today.
    if (Test-Path (Join-Path $Out $part)) { throw "$Out has an export already: choose another folder with -Out" }
}
{connect}
$Out = (New-Item -ItemType Directory -Force $Out).FullName
$saved = @{}
$failed = @()

function New-File([string] $File) {
    $path = Join-Path $Out $File
    $null = New-Item -ItemType Directory -Force (Split-Path $path)
    $path
}

# Saves what a request answers, page by page, and gives the records.
function Save-Graph([string] $Uri, [string] $File) {
    $path = New-File $File
    for ($page = 1; $Uri; $page++) {
        $text = Invoke-MgGraphRequest -Method GET -Uri $Uri -OutputType Json
        $name = if ($page -eq 1) { $path } else { $path -replace '\.json$', "-$page.json" }
        [IO.File]::WriteAllText($name, $text)
        $answer = $text | ConvertFrom-Json
        $answer.value
        $Uri = $answer.'@odata.nextLink'
    }
}

# The same where a tenant may lack the service or the license for it.
function Save-Optional([string] $Uri, [string] $File) {
    try { Save-Graph $Uri $File } catch {
        $script:failed += $File
        Write-Warning "$File was not saved: $_"
    }
}

# Saves the instances of a class of Configuration Manager, and gives them; lazy properties are read one by one.
function Save-Class([string] $Site, [string] $Class, [string[]] $Properties, [switch] $Lazy) {
    $path = New-File "configmgr/$Site/$Class.json"
    $instances = Get-CimInstance -ComputerName $Providers[$Site] -Namespace "root/SMS/site_$Site" -ClassName $Class
    if ($Lazy) { $instances = $instances | Get-CimInstance }
    $rows = @($instances | Select-Object $Properties)
    [IO.File]::WriteAllText($path, (ConvertTo-Json -Depth 5 -InputObject $rows))
    $rows
}


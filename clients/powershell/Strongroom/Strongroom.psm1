# Loads the functions, one per file, and says where things are on a server.

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$script:StateFolder = Join-Path -Path $env:ProgramData -ChildPath 'Strongroom'
$script:DriveFolder = Join-Path -Path $script:StateFolder -ChildPath 'drives'
$script:LogFolder = Join-Path -Path $script:StateFolder -ChildPath 'logs'
$script:ModuleFolder = $PSScriptRoot

foreach ($part in @('Private', 'Public')) {
    $folder = Join-Path -Path $PSScriptRoot -ChildPath $part
    foreach ($file in (Get-ChildItem -LiteralPath $folder -Filter '*.ps1')) {
        . $file.FullName
    }
}

Export-ModuleMember -Function @('Get-S3RcloneDrive', 'New-S3RcloneDrive', 'Remove-S3RcloneDrive')

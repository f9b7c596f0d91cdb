function Dismount-Drive {
    <#
    .SYNOPSIS
    Takes a drive away: its service first, then what was written down about it. What is not there any more is left out.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $DriveLetter,

        [Parameter(Mandatory = $true)]
        [string] $Service
    )

    Unregister-DriveService -Name $Service
    foreach ($ending in @('conf', 'json')) {
        $file = Join-Path -Path $script:DriveFolder -ChildPath "$DriveLetter.$ending"
        if (Test-Path -LiteralPath $file) {
            Remove-Item -LiteralPath $file -Force -Confirm:$false -WhatIf:$false
        }
    }
}

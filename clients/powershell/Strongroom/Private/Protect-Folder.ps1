function Protect-Folder {
    <#
    .SYNOPSIS
    Makes a folder that only SYSTEM and administrators can change, and refuses one that others prepared.
    .NOTES
    Below ProgramData everybody may make files: what stands there already may be a trap for SYSTEM.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath,

        [switch] $IsReadableByAll
    )

    if (-not (Test-Path -LiteralPath $LiteralPath)) {
        $null = [System.IO.Directory]::CreateDirectory($LiteralPath)
        $grants = @('*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F')
        if ($IsReadableByAll) {
            $grants += '*S-1-5-32-545:(OI)(CI)RX'
        }
        $icacls = Join-Path -Path $env:SystemRoot -ChildPath 'System32\icacls.exe'
        $owned = Invoke-Program -LiteralPath $icacls -Argument @($LiteralPath, '/setowner', '*S-1-5-32-544')
        $said = Invoke-Program -LiteralPath $icacls -Argument (@($LiteralPath, '/inheritance:r', '/grant:r') + $grants)
        if (($owned.ExitCode -ne 0) -or ($said.ExitCode -ne 0)) {
            throw (ConvertTo-DriveError -Id 'FolderUnprotected' -Category 'SecurityError' -Message (
                    "$LiteralPath could not be kept to administrators: $($owned.Error) $($said.Error)") -WayOut (
                    'Look at its permissions, remove it, and run the command again.'))
        }
    }
    Assert-ProtectedPath -LiteralPath $LiteralPath -WayOut (
        "Look at what is in it, remove the folder, and run the command again: it is then made anew.")
}

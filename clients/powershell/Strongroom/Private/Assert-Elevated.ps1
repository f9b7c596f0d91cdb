function Assert-Elevated {
    <#
    .SYNOPSIS
    Refuses unless this session runs with elevated privileges: services and drives for everybody need them.
    #>
    [CmdletBinding()]
    param()

    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
    if (-not $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw (ConvertTo-DriveError -Id 'NotElevated' -Category 'PermissionDenied' -Message (
                'A drive that everybody on this server sees is made by an administrator; this session is not elevated.'
            ) -WayOut 'Start PowerShell with "Run as administrator" (Ctrl+Shift+Enter) and run the command again.')
    }
}

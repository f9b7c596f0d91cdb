function Resolve-DriveSecurity {
    <#
    .SYNOPSIS
    Who may open what is on a drive, as SDDL: SYSTEM, administrators, and one group (all who signed in, unless told).
    .NOTES
    Source: "Security descriptor string format" of the Windows documentation; rclone mount, "Windows filesystem
    permissions" (FA all, FR read, FX execute).
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [bool] $IsReadOnly,

        [string] $AllowedGroup = ''
    )

    $sid = 'AU'
    if ($AllowedGroup) {
        try {
            $account = New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $AllowedGroup
            $sid = $account.Translate([System.Security.Principal.SecurityIdentifier]).Value
        }
        catch {
            throw (ConvertTo-DriveError -Id 'GroupMissing' -Category 'ObjectNotFound' -Target $AllowedGroup -Message (
                    "This server knows no group or user called $AllowedGroup.") -WayOut (
                    'Write it as DOMAIN\Group, or as the name of a local group: Get-LocalGroup lists them.'))
        }
    }
    $rights = if ($IsReadOnly) { 'FRFX' } else { 'FA' }
    "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;$rights;;;$sid)"
}

function ConvertTo-DriveError {
    <#
    .SYNOPSIS
    An error as this module reports it: what was refused and why, and the way out. The caller throws it.
    #>
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Id,

        [Parameter(Mandatory = $true)]
        [string] $Message,

        [Parameter(Mandatory = $true)]
        [string] $WayOut,

        [System.Management.Automation.ErrorCategory] $Category = 'InvalidOperation',

        [object] $Target = $null
    )

    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList "$Message $WayOut"
    New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList @($exception, $Id, $Category, $Target)
}
